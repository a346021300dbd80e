import { beforeAll, expect, test } from 'vitest'
import { encodeCommand, requestCommand } from '../../src/protocol/remoting-command.ts'
import { RequestCode } from '../../src/protocol/request-code.ts'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import { rawFrame } from '../net/frames.ts'
import { goldenFrames } from '../protocol/golden.ts'
import { Random } from '../sim/random.ts'
import type { ServerProcess } from '../support/broker-process.ts'
import { createTopic, maxOffset, pullHeader, readQueue, sendTo } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'

const MIB = 1024 * 1024
const GOLDEN = goldenFrames.map(({ hex }) => Buffer.from(hex, 'hex'))

/** One of Apache's frames, damaged somewhere; its length is put right half of the time. */
function damaged(random: Random): Buffer {
  let frame = Buffer.from(GOLDEN[random.below(GOLDEN.length)]!)
  for (let edits = 1 + random.below(3); edits > 0; edits--) {
    const at = 4 + random.below(frame.length - 4)
    const tail = frame.subarray(at)
    const kind = random.below(4)
    if (kind === 0) frame[at] = random.below(256)
    else if (kind === 1)
      frame = Buffer.concat([frame.subarray(0, at), tail.subarray(1 + random.below(9))])
    else if (kind === 2)
      frame = Buffer.concat([frame.subarray(0, at), tail.subarray(0, random.below(30)), tail])
    else frame[at]! ^= 1 << random.below(8)
    if (frame.length < 9) return Buffer.from([0, 0, 0, 0])
  }
  if (random.below(2) === 0) frame.writeInt32BE(frame.length - 4, 0)
  return frame
}

/** Bytes from somebody who means no good, and from somebody who is broken. */
export function describeHostility(started: () => ServerProcess, seed: number): void {
  let broker: ServerProcess
  /** Somebody with nothing to hide. */
  let bystander: RawClient
  beforeAll(async () => {
    broker = started()
    bystander = await broker.connect()
    await createTopic(bystander, 'TopicTest', { queues: 4 })
  })

  async function expectUnharmed(): Promise<void> {
    const { queueOffset } = await sendTo(bystander, 'TopicTest', { queueId: 3 })
    await readQueue(bystander, 'TopicTest', { queueId: 3, from: queueOffset, end: queueOffset + 1 })
    await maxOffset(bystander, 'TopicTest', 3)
    expect(broker.isRunning).toBe(true)
  }

  test.each([
    ['a negative length', rawFrame({ length: -1 })],
    ['the most negative length', rawFrame({ length: -(2 ** 31) })],
    ['length 0', rawFrame({ length: 0 })],
    ['length 3', rawFrame({ length: 3 })],
    ['a length beyond 16 MiB', rawFrame({ length: 16 * MIB })],
    ['the largest length', rawFrame({ length: 2 ** 31 - 1 })],
    ['a header longer than the frame', rawFrame({ length: 100, header: 97 })],
    ['a header of 16 MiB', rawFrame({ length: 16 * MIB - 5, header: 2 ** 24 - 1 })],
    ['serialize type 2', rawFrame({ length: 4, type: 2 })],
    ['serialize type 255', rawFrame({ length: 40, type: 255 })],
    ['an empty JSON header', rawFrame({ length: 4 })],
    ['an empty binary header', rawFrame({ length: 4, type: 1 })],
    [
      'a binary header of 20 bytes',
      Buffer.concat([rawFrame({ length: 24, type: 1, header: 20 }), Buffer.alloc(20)]),
    ],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: broker\r\n\r\n')],
    ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
    ['the PROXY protocol', Buffer.from('PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n')],
  ])('%s ends the connection, and only that one', async (_, bytes) => {
    const liar = await broker.connect()
    liar.write(bytes)
    await liar.closed
    expect(liar.received).toEqual([])
    await expectUnharmed()
  })

  test.each([
    [
      'an unknown escape in the properties',
      '{"code":310,"extFields":{"b":"TopicTest","e":"0","i":"\\q"}}',
    ],
    ['an escape that is cut off', '{"code":310,"extFields":{"b":"TopicTest","e":"0","i":"\\u00"}}'],
    ['an unknown escape in the topic', '{"code":310,"extFields":{"b":"\\q","e":"0"}}'],
    ['numbers that are none', '{"code":034,"opaque":1e99}'],
    ['two extFields', '{"code":34,"extFields":{},"extFields":[]}'],
    ['deep nesting', `{"code":34,"extFields":${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}}`],
    ['no object', '[1,2,3]'],
  ])('a JSON header with %s is answered or ends the connection', async (_, header) => {
    const liar = await broker.connect()
    const text = Buffer.from(header)
    const head = rawFrame({ length: 4 + text.length, header: text.length })
    liar.write(Buffer.concat([head, text]))
    await Promise.race([liar.closed, answered(liar)])
    await expectUnharmed()
    liar.close()
  })

  test('every request code there is, empty, is answered or ends the connection', async () => {
    const codes = [...new Set([...Object.values(RequestCode), -1, 0, 32_767])]
    for (const body of [null, Buffer.from('{'), Buffer.alloc(100_000, '['), Buffer.from('null')]) {
      const asker = await broker.connect()
      const frames = codes.map((code, opaque) =>
        encodeCommand({ ...requestCommand(code, null, body), opaque }),
      )
      asker.write(Buffer.concat(frames))
      await Promise.race([
        asker.closed,
        Promise.all(codes.map((_, opaque) => asker.replyTo(opaque).catch(() => null))),
      ])
      expect(asker.isClosed).toBe(false)
      asker.close()
    }
    await expectUnharmed()
  })

  test('damaged frames hurt nobody else, and no memory stays behind', async () => {
    const random = new Random(seed)
    const play = async (count: number) => {
      for (let sent = 0; sent < count;) {
        const liar = await broker.connect()
        // Several at once: those behind the one that ends the connection are not read any more.
        const frames = Array.from({ length: 1 + random.below(6) }, () => damaged(random))
        sent += frames.length
        liar.write(Buffer.concat(frames))
        liar.socket.end()
        await liar.closed
      }
    }
    await play(500)
    const before = broker.residentBytes
    await Promise.all(Array.from({ length: 5 }, () => play(700))) // with 1, 2 and 4 workers 12,000 in all
    await expectUnharmed()
    expect(broker.residentBytes - before).toBeLessThan(200 * MIB)
  }, 120_000)

  test('frames that claim 16 MiB and never come cost no memory', async () => {
    const liars = await Promise.all(Array.from({ length: 100 }, () => broker.connect()))
    const before = broker.residentBytes
    for (const liar of liars) {
      liar.write(
        Buffer.concat([rawFrame({ length: 16 * MIB - 5, header: 100 }), Buffer.alloc(1000)]),
      )
    }
    await expectUnharmed()
    expect(broker.residentBytes - before).toBeLessThan(50 * MIB)
    for (const liar of liars) liar.close()
  })

  test('half a connection, closed in the middle of everything, leaves nothing behind', async () => {
    const leavers = await Promise.all(Array.from({ length: 30 }, () => broker.connect()))
    for (const [nth, leaver] of leavers.entries()) {
      const frames = GOLDEN.map((frame) =>
        frame.subarray(0, nth % 3 === 0 ? frame.length : nth * 7),
      )
      leaver.write(frames[nth]!)
      leaver.send(
        PullMessage,
        pullHeader('TopicTest', { sysFlag: 6, suspendTimeoutMillis: 60_000 }),
      )
      if (nth % 2 === 0) leaver.socket.resetAndDestroy()
      else leaver.socket.end()
    }
    await Promise.all(leavers.filter((_, nth) => nth % 2 === 0).map(({ closed }) => closed))
    await expectUnharmed()
    for (const leaver of leavers) leaver.close()
  })
}

/** The first reply of any kind. */
function answered(client: RawClient): Promise<void> {
  return new Promise((resolve) => client.socket.once('data', () => resolve()))
}
