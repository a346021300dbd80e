import { expect, test } from 'vitest'
import { SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { DeleteTopicInBroker } from '../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import type { ServerProcess } from '../support/broker-process.ts'
import { createTopic, maxOffset, readQueue, sendHeader, sendTo } from '../support/messages.ts'

const ascending = (numbers: Iterable<number>) => [...numbers].toSorted((a, b) => a - b)

/** Sends that meet on several threads. */
export function describeSends(started: () => ServerProcess): void {
  test('sends from many connections at once make an unknown topic, once', async () => {
    const clients = await Promise.all(Array.from({ length: 16 }, () => started().connect()))
    const replies = await Promise.all(
      clients.map((client, nth) => sendTo(client, 'Fresh', { queueId: nth % 4 })),
    )
    for (const queueId of [0, 1, 2, 3]) {
      const offsets = replies.filter((reply) => reply.queueId === queueId)
      expect(ascending(offsets.map((reply) => reply.queueOffset))).toEqual([0, 1, 2, 3])
    }
    for (const client of clients) client.close()
  })

  test('offsets of one queue are dense, and its order is the order of the log', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => started().connect()))
    await createTopic(clients[0]!, 'Dense')
    await Promise.all(
      clients.map(async (client, nth) => {
        const sent = Array.from({ length: 100 }, (_, i) =>
          sendTo(client, 'Dense', {}, { body: Buffer.from(`${nth}:${i}`) }),
        )
        const offsets = (await Promise.all(sent)).map(({ queueOffset }) => queueOffset)
        expect(offsets).toEqual(ascending(offsets))
      }),
    )
    const messages = await readQueue(clients[0]!, 'Dense', { end: 800 })
    expect(messages.map(({ queueOffset }) => queueOffset)).toEqual([...Array(800).keys()])
    const positions = messages.map(({ position }) => position)
    expect(positions).toEqual(ascending(positions))
    for (const [nth, client] of clients.entries()) {
      const own = messages
        .map(({ body }) => String(body))
        .filter((text) => text.startsWith(`${nth}:`))
      expect(own).toEqual(Array.from({ length: 100 }, (_, i) => `${nth}:${i}`))
      client.close()
    }
  })

  test('a created topic takes sends on every connection at once', async () => {
    const [admin, ...senders] = await Promise.all(
      Array.from({ length: 8 }, () => started().connect()),
    )
    for (const topic of ['New-1', 'New-2', 'New-3']) {
      await createTopic(admin!, topic, { queues: 3 })
      const header = { queueId: 2, defaultTopic: 'none' } // so that it cannot be made on the way
      const replies = await Promise.all(senders.map((sender) => sendTo(sender, topic, header)))
      expect(ascending(replies.map(({ queueOffset }) => queueOffset))).toEqual([
        0, 1, 2, 3, 4, 5, 6,
      ])
    }
    for (const client of [admin!, ...senders]) client.close()
  })

  test('a topic that is deleted under load and made again begins at 0, with nothing of its first life', async () => {
    const [admin, ...senders] = await Promise.all(
      Array.from({ length: 7 }, () => started().connect()),
    )
    const header = sendHeader('Phoenix', { defaultTopic: 'none' })
    for (let life = 0; life < 8; life++) {
      await createTopic(admin!, 'Phoenix')
      expect(await maxOffset(admin!, 'Phoenix', 0)).toBe(0)
      const blast = senders.map(async (sender) => {
        for (let code = 0, nth = 0; code === 0; nth++) {
          const body = Buffer.from(`${life}:${nth}`)
          ;({ code } = await sender.ask(SendMessageV2, header, { body }))
          if (code !== 0) expect(code).toBe(ResponseCode.TOPIC_NOT_EXIST)
        }
      })
      const first = await readQueue(admin!, 'Phoenix', { end: 50 })
      expect(first.map(({ queueOffset }) => queueOffset)).toEqual([...first.keys()])
      expect(first.every(({ body }) => String(body).startsWith(`${life}:`))).toBe(true)
      const { code } = await admin!.ask(DeleteTopicInBroker, { topic: 'Phoenix' })
      expect(code).toBe(0)
      await Promise.all(blast)
    }
    for (const client of [admin!, ...senders]) client.close()
  })
}
