import { randomFillSync } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import type { ServerProcess } from '../support/broker-process.ts'
import {
  createTopic,
  holdingPull,
  maxOffset,
  messagesOf,
  pullHeader,
  readQueue,
  sendTo,
} from '../support/messages.ts'

const MIB = 1024 * 1024
const BODY_LENGTH = 200_000

/** Its checksum stands in front of the rest. */
function checkedBody(length = BODY_LENGTH): Buffer {
  const body = randomFillSync(Buffer.alloc(length))
  body.writeUInt32BE(crc32(body.subarray(4)))
  return body
}

function isWhole(body: Uint8Array): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return bytes.readUInt32BE(0) === crc32(bytes.subarray(4))
}

/** Readers that do not read, while the log window is overwritten again and again. */
export function describeSlowReaders(started: () => ServerProcess): void {
  test('a reader that pauses gets every byte as it was sent', async () => {
    const [slow, sender] = [await started().connect(), await started().connect()]
    await createTopic(sender, 'Slow')
    for (let nth = 0; nth < 40; nth++) await sendTo(sender, 'Slow', {}, { body: checkedBody() })
    await readQueue(sender, 'Slow', { from: 39, end: 40 })
    slow.socket.pause()
    const pulls = Array.from({ length: 160 }, (_, nth) => {
      return slow.send(PullMessage, pullHeader('Slow', { queueOffset: nth % 40, maxMsgNums: 1 }))
    })
    // Four windows full pass while nothing is read, and the replies lie in the broker.
    for (let lot = 0; lot < 8; lot++) {
      const bodies = Array.from({ length: 20 }, checkedBody)
      await Promise.all(bodies.map((body) => sendTo(sender, 'Slow', {}, { body })))
    }
    slow.socket.resume()
    for (const [nth, opaque] of pulls.entries()) {
      const [message] = messagesOf(await slow.replyTo(opaque))
      expect(message!.queueOffset).toBe(nth % 40)
      expect(isWhole(message!.body)).toBe(true)
    }
    for (const client of [slow, sender]) client.close()
  })

  test('a reader that says goodbye before it has read gets what was sent to it, unharmed', async () => {
    const [leaver, other] = [await started().connect(), await started().connect()]
    await createTopic(other, 'Goodbye')
    for (let nth = 0; nth < 20; nth++) {
      await sendTo(other, 'Goodbye', {}, { body: checkedBody(20_000) })
    }
    await readQueue(other, 'Goodbye', { end: 20 })
    const pull = (nth: number) => pullHeader('Goodbye', { queueOffset: nth % 20, maxMsgNums: 1 })
    for (let nth = 0; nth < 600; nth++) leaver.send(PullMessage, pull(nth))
    await leaver.replyTo(1)
    leaver.socket.pause()
    leaver.socket.end()
    // Buffers that are given back too soon are filled with other bytes now.
    for (let lot = 0; lot < 10; lot++) {
      const answers = Array.from({ length: 50 }, (_, nth) => other.ask(PullMessage, pull(nth)))
      await Promise.all(answers)
    }
    leaver.socket.resume()
    await leaver.closed
    for (const answer of leaver.received) {
      for (const { body } of messagesOf(answer)) expect(isWhole(body)).toBe(true)
    }
    other.close()
  })

  test('a reader that does not read is sent no more than its limit, and the rest once it reads', async () => {
    const [idle, sender, other] = await Promise.all([1, 2, 3].map(() => started().connect()))
    await createTopic(sender!, 'Never', { queues: 500 })
    const pulls = Array.from({ length: 500 }, (_, queueId) => {
      return idle!.send(PullMessage, holdingPull('Never', { queueId }))
    })
    await maxOffset(idle!, 'Never', 0) // all are held: nothing stops their answers, 100 MB of them
    idle!.socket.pause()
    const before = started().residentBytes
    const body = checkedBody()
    for (let from = 0; from < 500; from += 20) {
      const queues = Array.from({ length: 20 }, (_, nth) => from + nth)
      await Promise.all(queues.map((queueId) => sendTo(sender!, 'Never', { queueId }, { body })))
      const { code } = await other!.ask(PullMessage, pullHeader('Never', { queueId: 499 }))
      expect([0, 19]).toContain(code)
    }
    expect(started().residentBytes - before).toBeLessThan(64 * MIB)
    idle!.socket.resume()
    for (const opaque of pulls) {
      const [message] = messagesOf(await idle!.replyTo(opaque))
      expect(isWhole(message!.body)).toBe(true)
    }
    for (const client of [idle!, sender!, other!]) client.close()
  })

  test('replies that are not read do not pile up without end', async () => {
    const [greedy, sender] = [await started().connect(), await started().connect()]
    await createTopic(sender, 'Pile')
    await sendTo(sender, 'Pile', {}, { body: checkedBody() })
    const header = holdingPull('Pile')
    await sender.ask(PullMessage, header)
    greedy.socket.pause()
    const before = started().residentBytes
    const pulls = Array.from({ length: 2000 }, () => greedy.send(PullMessage, header))
    for (let nth = 0; nth < 20; nth++) await sendTo(sender, 'Pile')
    expect(started().residentBytes - before).toBeLessThan(150 * MIB)
    greedy.socket.resume()
    for (const opaque of pulls.slice(0, 200)) {
      expect(isWhole(messagesOf(await greedy.replyTo(opaque))[0]!.body)).toBe(true)
    }
    for (const client of [greedy, sender]) client.close()
  })
}
