import { describe, expect, test } from 'vitest'
import { followMessages } from '../../../bench/load/pull-loop.ts'
import { parseLoadOptions } from '../../../bench/load/options.ts'
import { runLoad } from '../../../bench/load/run-load.ts'
import type { RemotingCommand } from '../../../src/protocol/remoting-command.ts'
import { fakeBroker, storedMessage, type FakeReply } from './fake-broker.ts'

const QUEUE_LENGTH = 100
const START = 7

function messages(from: number, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => storedMessage(from + i)))
}

/** Queues that go from START to START + QUEUE_LENGTH. */
function answer(request: RemotingCommand): FakeReply {
  const field = (name: string): number => Number(request.extFields?.get(name))
  if (request.code === 31) return { code: 0, extFields: new Map([['offset', `${START}`]]) }
  const end = START + QUEUE_LENGTH
  if (request.code === 30) return { code: 0, extFields: new Map([['offset', `${end}`]]) }
  const offset = field('queueOffset')
  return { code: 0, body: messages(offset, Math.min(field('maxMsgNums'), end - offset)) }
}

async function pullAll(reply: (request: RemotingCommand) => FakeReply, ...args: string[]) {
  const broker = await fakeBroker(reply)
  try {
    const place = ['--mode', 'pull', '--broker', broker.address, '--warmup', '0']
    return await runLoad(parseLoadOptions([...place, ...args]))
  } finally {
    broker.close()
  }
}

describe('messages of a pull', () => {
  test('are followed to the offset after the last one', () => {
    const bytes = Buffer.concat([Buffer.alloc(11), messages(5_000_000_000, 3), Buffer.alloc(4)])
    expect(followMessages(bytes, 11, 311, 5_000_000_000)).toBe(5_000_000_003)
    expect(followMessages(bytes, 11, 11, 42)).toBe(42)
  })

  test('with a hole or a repetition are refused with both offsets', () => {
    const bytes = Buffer.concat([storedMessage(4), storedMessage(6)])
    expect(() => followMessages(bytes, 0, 200, 4)).toThrow('queue offset 5 was due, 6 came')
  })

  test('that end inside a message are refused', () => {
    expect(() => followMessages(messages(4, 2), 0, 150, 4)).toThrow('is cut off')
  })
})

describe.each(['json', 'binary'])('consuming a backlog with %s headers', (header) => {
  test('counts every message of every queue once', async () => {
    const report = await pullAll(answer, '--header', header, '--queues', '5', '--in-flight', '3')
    expect(report.messages).toBe(5 * QUEUE_LENGTH)
    expect(report.bytes).toBe(5 * QUEUE_LENGTH * 100)
    expect(report.requests).toBe(5 * Math.ceil(QUEUE_LENGTH / 32))
    expect(report.times?.count).toBe(report.requests)
  })
})

describe('a backlog', () => {
  test('is done when it is empty', async () => {
    const empty = (): FakeReply => ({ code: 0, extFields: new Map([['offset', '3']]) })
    expect((await pullAll(empty, '--queues', '2')).messages).toBe(0)
  })

  test('is asked again where the broker says "not yet", and the answer is counted', async () => {
    let refused = 0
    const report = await pullAll(
      (request) => (request.code === 11 && refused++ < 4 ? { code: 19 } : answer(request)),
      '--queues',
      '2',
    )
    expect(report.messages).toBe(2 * QUEUE_LENGTH)
    expect(report.failures).toMatchObject([{ code: 19, count: 4 }])
  })

  test('with a hole ends the run', async () => {
    const hole = (request: RemotingCommand): FakeReply =>
      request.code === 11 ? { code: 0, body: messages(50, 1) } : answer(request)
    await expect(pullAll(hole, '--queues', '2')).rejects.toThrow('queue offset 7 was due, 50 came')
  })

  test('that the broker refuses ends the run with its code', async () => {
    const refuse = (request: RemotingCommand): FakeReply =>
      request.code === 11 ? { code: 17 } : answer(request)
    await expect(pullAll(refuse, '--queues', '2')).rejects.toThrow('answered code 17')
  })
})
