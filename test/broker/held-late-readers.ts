import { randomFillSync } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import type { ServerProcess } from '../support/broker-process.ts'
import { createTopic, readQueue, sendTo } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'

const MIB = 1024 * 1024

/** Consumers that are behind the log window and read files. */
export function describeLateReaders(started: () => ServerProcess): void {
  test('read every message as it was sent, while others go on sending', async () => {
    const clients = await Promise.all(Array.from({ length: 6 }, () => started().connect()))
    await createTopic(clients[0]!, 'Cold', { queues: 6 })
    const sums: number[][] = clients.map(() => [])
    const send = async (client: RawClient, queueId: number) => {
      for (let nth = 0; nth < 60; nth++) {
        const body = randomFillSync(Buffer.alloc(nth % 20 === 0 ? 200_000 : 1000 * (nth % 13)))
        sums[queueId]!.push(crc32(body))
        await sendTo(client, 'Cold', { queueId }, { body })
      }
    }
    const read = async (client: RawClient, queueId: number) => {
      const messages = await readQueue(client, 'Cold', { queueId, end: 60 })
      const read = messages.map(({ body }) => crc32(body))
      expect(read).toEqual(sums[queueId]!.slice(0, read.length)) // others go on sending
    }
    await Promise.all(clients.map(send))
    await Promise.all([...clients.map(send), ...clients.map(read)])
    for (const client of clients) client.close()
  })

  test('all get their big messages when they ask at once', async () => {
    const clients = await Promise.all(Array.from({ length: 12 }, () => started().connect()))
    await createTopic(clients[0]!, 'Big', { queues: 12 })
    const sums = await Promise.all(
      clients.map(async (client, queueId) => {
        const body = randomFillSync(Buffer.alloc(MIB))
        await sendTo(client, 'Big', { queueId }, { body })
        return crc32(body)
      }),
    )
    const found = await Promise.all(
      clients.map((client, queueId) => readQueue(client, 'Big', { queueId, end: 1 })),
    )
    expect(found.map(([message]) => crc32(message!.body))).toEqual(sums)
    for (const client of clients) client.close()
  })
}
