import { expect, test } from 'vitest'
import {
  allocateCounters,
  Count,
  type CountedPair,
  CounterReader,
  WorkerCounters,
} from '../../src/broker/worker-counters.ts'

/** Two workers, and main that reads what they count. */
function open() {
  const memories = [allocateCounters(8), allocateCounters(8)]
  const reader = new CounterReader(memories)
  const time = { turn: 0, now: 0 }
  const clocks = { turn: { now: () => time.turn }, clock: { now: () => time.now } }
  const workers = memories.map(
    (memory, nth) =>
      new WorkerCounters(memory, clocks, (pair: CountedPair) => reader.addPair(nth, pair)),
  )
  return { reader, workers: workers as [WorkerCounters, WorkerCounters], time }
}

test('bytes of a topic are the sum over its queues and all workers', () => {
  const { reader, workers } = open()
  workers[0].addPut({ row: 1, count: 1, length: 100, position: 0 })
  workers[1].addPut({ row: 1, count: 1, length: 10, position: 0 })
  workers[1].addPut({ row: 2, count: 3, length: 1, position: 10 })
  workers[1].addPut({ row: 7, count: 1, length: 5000, position: 11 })
  expect(reader.putBytes([1, 2])).toBe(111)
  expect(reader.total(Count.PUT_BYTES)).toBe(5111)
})

test('puts are counted by how long it took until their answers left', () => {
  const { reader, workers, time } = open()
  for (const [from, to, messages] of [
    [0, 0.9, 5],
    [10, 12, 1],
    [20, 30.5, 2],
    [100, 20_100, 1],
  ] as const) {
    time.turn = from
    workers[0].addPut({ row: 0, count: messages, length: 1, position: 0 })
    time.now = to
    workers[0].endPuts(Infinity)
    workers[0].endPuts(Infinity) // a turn without puts adds nothing
  }
  expect(reader.putTimes()).toEqual([5, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
  expect(reader.total(Count.PUTS)).toBe(9)
  expect(reader.greatest(Count.PUT_MS_MAX)).toBe(20_000)
})

test('what a group gets of a topic is summed over the workers, other groups apart', () => {
  const { reader, workers } = open()
  const [one, other] = workers
  one.addFound(one.pair('G', 'T'), 32, 1000)
  one.addFound(one.pair('G', 'T'), 1, 10)
  other.addFound(other.pair('X', 'T'), 2, 20)
  other.addFound(other.pair('G', 'T'), 4, 40)
  other.addMiss()
  expect(Object.fromEntries(reader.gets())).toEqual({
    'T@G': { messages: 37, bytes: 1050, answers: 3 },
    'T@X': { messages: 2, bytes: 20, answers: 1 },
  })
  expect([Count.FOUND, Count.MISS, Count.TRANSFERRED].map((each) => reader.total(each))).toEqual([
    4, 1, 39,
  ])
})

test('pairs beyond the limit are counted as nobody, and harm no other', () => {
  const { reader, workers } = open()
  const [worker] = workers
  for (let nth = 0; nth < 20_000; nth++) worker.addFound(worker.pair(`G${nth}`, 'T'), 1, 1)
  expect(reader.gets().size).toBe(16_383)
  expect(reader.gets().get('T@G16382')).toEqual({ messages: 1, bytes: 1, answers: 1 })
  expect(reader.total(Count.TRANSFERRED)).toBe(20_000)
  expect(reader.putBytes([0, 1, 2, 3, 4, 5, 6, 7])).toBe(0)
})

test('a put that waits for more than the end of its turn is counted when its answer leaves', () => {
  const { reader, workers, time } = open()
  const [worker] = workers
  for (const turn of [0, 10]) {
    time.turn = turn
    worker.addPut({ row: 0, count: 1, length: 100, position: turn * 10 }) // ends at 100, and at 200
    worker.endPuts(100)
  }
  expect(reader.total(Count.PUTS)).toBe(0)
  time.now = 300
  worker.endPuts(200) // the second is still held
  expect(reader.putTimes()).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
  time.now = 700
  worker.endPuts(Infinity)
  expect(reader.total(Count.PUTS)).toBe(2)
  expect(reader.greatest(Count.PUT_MS_MAX)).toBe(690)
})
