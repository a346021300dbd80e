/** The worker's side of the way to main, while main does nothing. */
import { expect, test } from 'vitest'
import { LinkType } from '../../src/broker/thread-link.ts'
import { CommandFlag, encodeCommand, requestCommand } from '../../src/protocol/remoting-command.ts'
import { GetMaxOffset } from '../../src/protocol/requests/offset.ts'
import { SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { sendHeader, sendTo } from '../support/messages.ts'
import { SteppedBroker } from '../support/stepped-broker.ts'

const QUEUE = { topic: 'T', queueId: 0, committed: true }

test('while main is behind its requests are refused, sends are not, and no connection is lost to it', async () => {
  const broker = await SteppedBroker.open()
  broker.addTopic('T')
  const [client, late] = [await broker.connect(), await broker.connect()]
  const big = Buffer.alloc(1_000_000)
  const flood = Array.from({ length: 40 }, () => client.frame(GetMaxOffset, QUEUE, { body: big }))
  for (const { bytes } of flood) client.write(bytes)
  await client.replyTo(flood.at(-1)!.opaque)
  const refused = client.received.filter(({ code }) => code === ResponseCode.SYSTEM_BUSY)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused[0]!.remark).toMatch(/^\[OVERLOAD\]system busy/)
  expect((await late.ask(GetMaxOffset, QUEUE)).code).toBe(ResponseCode.SYSTEM_BUSY)
  expect((await late.ask(SendMessageV2, sendHeader('New'))).code).toBe(ResponseCode.SYSTEM_BUSY)
  await sendTo(late, 'T')
  late.close()
  await late.closed

  const opened = new Set<number>()
  const counts = { requests: 0, closed: 0 }
  while (counts.closed === 0) {
    broker.main.drain((type, slot) => {
      if (type === LinkType.OPENED) opened.add(slot)
      else expect(opened.has(slot)).toBe(true)
      if (type === LinkType.REQUEST) counts.requests++
      if (type === LinkType.CLOSED) counts.closed++
    })
    broker.main.flush()
    await new Promise((resolve) => setImmediate(resolve)) // the worker sends on what waited
  }
  expect(opened.size).toBe(2)
  expect(counts.requests).toBe(40 - refused.length)
  const request = client.send(GetMaxOffset, QUEUE)
  let answered = false
  while (!answered) {
    broker.main.drain((type, first, second) => {
      if (type !== LinkType.REQUEST) return
      const reply = { ...requestCommand(0), opaque: request, flag: CommandFlag.RESPONSE }
      broker.main.send({ type: LinkType.FRAME, first, second, payload: encodeCommand(reply) })
      answered = true
    })
    broker.main.flush()
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect((await client.replyTo(request)).code).toBe(0)
})

test('what main sends to a connection that was replaced by another goes to nobody', async () => {
  const broker = await SteppedBroker.open()
  const first = await broker.connect()
  first.send(GetMaxOffset, QUEUE)
  const at = await nextRecord(broker, LinkType.REQUEST)
  first.close()
  await nextRecord(broker, LinkType.CLOSED)
  const second = await broker.connect()
  second.send(GetMaxOffset, QUEUE)
  const newer = await nextRecord(broker, LinkType.REQUEST)
  expect(newer.slot).toBe(at.slot)
  expect(newer.generation).not.toBe(at.generation)
  for (const [opaque, { slot, generation }] of [at, newer].entries()) {
    const payload = encodeCommand({ ...requestCommand(0), opaque, flag: CommandFlag.RESPONSE })
    broker.main.send({ type: LinkType.FRAME, first: slot, second: generation, payload })
  }
  broker.main.flush()
  await second.replyTo(1)
  expect(second.received).toHaveLength(1)
})

async function nextRecord(broker: SteppedBroker, wanted: number) {
  for (;;) {
    const found: { slot: number; generation: number }[] = []
    broker.main.drain((type, slot, generation) => {
      if (type === wanted) found.push({ slot, generation })
    })
    if (found.length > 0) return found[0]!
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a send cannot overtake those that wait for its new topic to be made', async () => {
  const broker = await SteppedBroker.open()
  const client = await broker.connect()
  const waiting = ['0', '1'].map(() => client.send(SendMessageV2, sendHeader('New')))
  const asks: number[] = []
  while (asks.length < waiting.length) {
    broker.main.drain((type, id) => {
      if (type === LinkType.ASK) asks.push(id)
    })
    await new Promise((resolve) => setImmediate(resolve))
  }
  broker.addTopic('New') // all threads know it before main answers who asked
  const { queueOffset } = await sendTo(client, 'New')
  expect(queueOffset).toBe(2)
  const replies = await Promise.all(waiting.map((opaque) => client.replyTo(opaque)))
  expect(replies.map(({ extFields }) => extFields!.get('queueOffset'))).toEqual(['0', '1'])
  for (const first of asks) {
    broker.main.send({ type: LinkType.ANSWERED, first, second: 0, payload: new Uint8Array(0) })
  }
  broker.main.flush()
  expect((await sendTo(client, 'New')).queueOffset).toBe(3)
})
