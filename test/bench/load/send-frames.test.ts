import { describe, expect, test } from 'vitest'
import { OPAQUE_BASE, SendFrames, type SendShape } from '../../../bench/load/send-frames.ts'
import type { HeaderFormat } from '../../../bench/load/wire.ts'
import { batchItems } from '../../../src/protocol/batch-body.ts'
import { decodeProperties } from '../../../src/protocol/message.ts'
import { decodeCommand, type RemotingCommand } from '../../../src/protocol/remoting-command.ts'
import { SendMessageV2 } from '../../../src/protocol/requests/send.ts'

const BORN = 1_795_000_000_123
const FORMATS: HeaderFormat[] = ['json', 'binary']

function shape(more: Partial<SendShape>): SendShape {
  const common = { format: 'binary' as const, topic: 'TopicTest', brokerName: 'broker-a' }
  return { ...common, queueCount: 3, bodySize: 128, batch: 1, ...more }
}

/** The next `count` frames, slots from 0 up, decoded by the broker's own codec. */
function write(frames: SendFrames, count: number, born = BORN): RemotingCommand[] {
  const target = Buffer.alloc(count * frames.frameLengthMax)
  const commands: RemotingCommand[] = []
  for (let slot = 0, at = 0; slot < count; slot++) {
    const end = frames.write(target, at, slot, born)
    expect(target.readInt32BE(at)).toBe(end - at - 4)
    commands.push(decodeCommand(target.subarray(at + 4, end)))
    at = end
  }
  return commands
}

function keyOf(properties: string | undefined): string | undefined {
  return decodeProperties(properties ?? '').get('UNIQ_KEY')
}

describe.each(FORMATS)('send frames with %s headers', (format) => {
  test('are what the broker reads as SEND_MESSAGE_V2', () => {
    const [command] = write(new SendFrames(shape({ format })), 1)
    expect(command).toMatchObject({ code: 310, opaque: OPAQUE_BASE, flag: 0, version: 479 })
    expect(command!.body).toHaveLength(128)
    const header = SendMessageV2.decodeHeader(command!.extFields)
    expect(header).toMatchObject({ topic: 'TopicTest', brokerName: 'broker-a', batch: false })
    expect(header.bornTimestamp).toBe(BORN)
  })

  test('carry the slot in the opaque, up to the last slot', () => {
    const frames = new SendFrames(shape({ format }))
    const target = Buffer.alloc(frames.frameLengthMax)
    for (const slot of [0, 9, 10, 4711, 999_999]) {
      const end = frames.write(target, 0, slot, BORN)
      expect(decodeCommand(target.subarray(4, end)).opaque).toBe(OPAQUE_BASE + slot)
    }
  })

  test('take the queues in turn', () => {
    const commands = write(new SendFrames(shape({ format, queueCount: 11 })), 12)
    const queues = commands.map(({ extFields }) => Number(extFields?.get('e')))
    expect(queues).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0])
  })

  test('carry the time at which they are written', () => {
    const frames = new SendFrames(shape({ format }))
    const times = [...write(frames, 4, BORN), ...write(frames, 4, BORN + 1)].map(
      ({ extFields }) => Number(extFields?.get('g')) - BORN,
    )
    expect(times).toEqual([0, 0, 0, 0, 1, 1, 1, 1])
  })

  test('never carry the same message id twice', () => {
    const commands = write(new SendFrames(shape({ format })), 300)
    const keys = commands.map(({ extFields }) => keyOf(extFields?.get('i')))
    expect(new Set(keys).size).toBe(300)
    for (const key of keys) expect(key).toMatch(/^[0-9A-F]{32}$/)
  })

  test('hold a batch, each message with an id of its own', () => {
    const commands = write(new SendFrames(shape({ format, batch: 16, bodySize: 5 })), 2)
    const items = commands.flatMap(({ body }) => [...batchItems(body!)])
    const keys = [
      ...commands.map(({ extFields }) => keyOf(extFields?.get('i'))),
      ...items.map(({ properties }) => keyOf(properties)),
    ]
    expect(commands[0]!.code).toBe(320)
    expect(commands[0]!.extFields?.get('m')).toBe('true')
    expect(items.map(({ body }) => body.length)).toEqual(Array.from({ length: 32 }, () => 5))
    expect(new Set(keys).size).toBe(34)
  })
})
