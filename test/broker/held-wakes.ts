import { beforeAll, expect, test } from 'vitest'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import { SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { DeleteTopicInBroker } from '../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import type { ServerProcess } from '../support/broker-process.ts'
import {
  createTopic,
  holdingPull,
  maxOffset,
  messagesOf,
  properties,
  sendHeader,
  sendTo,
} from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'

/** With 1, 2 and 4 workers more than ten thousand in all. */
const WAKES = 3600
const BODY = Buffer.from('wake up')

/** What a held pull is woken by, and what not. */
export function describeHeldPulls(started: () => ServerProcess): void {
  let broker: ServerProcess
  let admin: RawClient
  /** Enough that with several workers there are some on each. */
  let clients: RawClient[]
  beforeAll(async () => {
    broker = started()
    admin = await broker.connect()
    clients = await Promise.all(Array.from({ length: 12 }, () => broker.connect()))
  })

  test(`is woken by a send of another connection, ${WAKES} times out of ${WAKES}`, async () => {
    const pairs = clients.length / 2
    const rounds = WAKES / pairs
    await createTopic(admin, 'Wake', { queues: pairs })
    const play = async (queueId: number) => {
      const [puller, sender] = [clients[queueId * 2]!, clients[queueId * 2 + 1]!]
      for (let queueOffset = 0; queueOffset < rounds; queueOffset++) {
        const held = puller.ask(PullMessage, holdingPull('Wake', { queueId, queueOffset }))
        // Sometimes it is held for a while, mostly both arrive together.
        if (queueOffset % 3 === 0)
          await sender.ask(PullMessage, holdingPull('Wake', { queueId: 99 }))
        const sent = sendTo(sender, 'Wake', { queueId })
        const { code, body } = await held
        expect(code).toBe(0)
        expect(messagesOf({ body })[0]!.queueOffset).toBe(queueOffset)
        expect((await sent).queueOffset).toBe(queueOffset)
      }
    }
    await Promise.all(Array.from({ length: pairs }, (_, queueId) => play(queueId)))
  })

  test('is answered PULL_NOT_FOUND when its time is over, on a quiet broker too', async () => {
    await createTopic(admin, 'Quiet')
    for (const suspendTimeoutMillis of [1, 50, 300]) {
      const start = performance.now()
      const pull = holdingPull('Quiet', { suspendTimeoutMillis })
      const { code, reply } = await clients[0]!.ask(PullMessage, pull)
      const took = performance.now() - start
      expect(code).toBe(ResponseCode.PULL_NOT_FOUND)
      expect(reply).toMatchObject({ nextBeginOffset: 0, minOffset: 0, maxOffset: 0 })
      expect(took).toBeGreaterThan(suspendTimeoutMillis - 2)
      expect(took).toBeLessThan(suspendTimeoutMillis + 1500)
    }
  })

  test('that wants other tags is not answered by what passes, and goes on behind it', async () => {
    await createTopic(admin, 'Tags')
    const [puller, sender] = [clients[0]!, clients[1]!]
    const held = puller.send(PullMessage, holdingPull('Tags', { subscription: 'A' }))
    for (let i = 0; i < 5; i++)
      await sendTo(sender, 'Tags', { properties: properties({ TAGS: 'B' }) })
    expect(puller.received.map(({ opaque }) => opaque)).not.toContain(held)
    await sendTo(sender, 'Tags', { properties: properties({ TAGS: 'A' }) })
    const found = await puller.replyTo(held)
    expect(found.code).toBe(0)
    expect(messagesOf(found).map(({ queueOffset }) => queueOffset)).toEqual([5])
    expect(found.extFields!.get('nextBeginOffset')).toBe('6')
  })

  test('that only saw other tags tells where to go on when its time is over', async () => {
    await createTopic(admin, 'OtherTags')
    const pull = holdingPull('OtherTags', { subscription: 'A', suspendTimeoutMillis: 200 })
    const held = clients[0]!.ask(PullMessage, pull)
    await sendTo(clients[1]!, 'OtherTags', { properties: properties({ TAGS: 'B' }) })
    const { code, reply } = await held
    expect([ResponseCode.PULL_NOT_FOUND, ResponseCode.PULL_RETRY_IMMEDIATELY]).toContain(code)
    expect(reply.nextBeginOffset).toBe(1)
  })

  test('whose connection closes leaves the others on the queue alone', async () => {
    await createTopic(admin, 'Leavers')
    const leavers = await Promise.all(Array.from({ length: 8 }, () => broker.connect()))
    for (const leaver of leavers) leaver.send(PullMessage, holdingPull('Leavers'))
    await Promise.all(leavers.map((leaver) => maxOffset(leaver, 'Leavers', 0))) // all are held now
    const held = clients.map((client) => client.ask(PullMessage, holdingPull('Leavers')))
    for (const leaver of leavers) leaver.close()
    await Promise.all(leavers.map(({ closed }) => closed))
    await sendTo(clients[0]!, 'Leavers')
    for (const { code, body } of await Promise.all(held)) {
      expect(code).toBe(0)
      expect(messagesOf({ body })).toHaveLength(1)
    }
  })

  test('is told at once that its topic is deleted', async () => {
    await createTopic(admin, 'Doomed')
    const held = clients.map((client) => client.ask(PullMessage, holdingPull('Doomed')))
    await Promise.all(clients.map((client) => maxOffset(client, 'Doomed', 0)))
    expect((await admin.ask(DeleteTopicInBroker, { topic: 'Doomed' })).code).toBe(0)
    for (const { code } of await Promise.all(held)) expect(code).toBe(ResponseCode.TOPIC_NOT_EXIST)
  })

  test('is one of many on its connection, each answered under its own opaque', async () => {
    await createTopic(admin, 'Many', { queues: 500 })
    const [puller, sender] = [clients[2]!, clients[3]!]
    const queues = [...Array(500).keys()]
    const held = queues.map((queueId) => puller.ask(PullMessage, holdingPull('Many', { queueId })))
    await maxOffset(puller, 'Many', 0)
    const frames = queues.toReversed().map((queueId) => {
      const body = Buffer.from(String(queueId))
      return sender.frame(SendMessageV2, sendHeader('Many', { queueId }), { body }).bytes
    })
    sender.write(Buffer.concat(frames))
    const bodies = (await Promise.all(held)).map((answer) => String(messagesOf(answer)[0]!.body))
    expect(bodies).toEqual(queues.map(String))
  })

  test('that passes over a flood of other tags keeps no connection waiting', async () => {
    await createTopic(admin, 'Flood')
    const pull = holdingPull('Flood', { subscription: 'never', suspendTimeoutMillis: 20_000 })
    const pullers = clients.slice(0, 8)
    const held = pullers.map((client) => client.send(PullMessage, pull))
    const [sender, asker] = [clients[10]!, clients[11]!]
    const { bytes } = sender.frame(SendMessageV2, sendHeader('Flood'), { body: BODY, oneway: true })
    const flood = Buffer.concat(Array.from({ length: 200 }, () => bytes))
    for (let round = 0; round < 40; round++) {
      sender.write(flood)
      await Promise.all([...pullers, asker].map((client) => sendTo(client, 'Flood')))
    }
    await sendTo(sender, 'Flood', { properties: properties({ TAGS: 'never' }) })
    const found = await Promise.all(held.map((opaque, nth) => pullers[nth]!.replyTo(opaque)))
    for (const answer of found)
      expect([0, ResponseCode.PULL_RETRY_IMMEDIATELY]).toContain(answer.code)
  })
}
