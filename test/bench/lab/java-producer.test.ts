import { expect, test } from 'vitest'
import { parseProducerLine } from '../../../bench/lab/java-producer.ts'
import { summarizeLines } from '../../../bench/regimes/java.ts'

const LINE =
  'Current Time: 2026-11-24 18:52:51,204 | Send TPS: 18993 | Max RT(ms): 412 | ' +
  'Average RT(ms):   3.367 | Send Failed: 2 | Response Failed: 1'

test("a line of Apache's Producer is read", () => {
  const line = { tps: 18_993, maxMs: 412, avgMs: 3.367, sendFailed: 2, responseFailed: 1 }
  expect(parseProducerLine(LINE)).toEqual(line)
})

test('other lines are passed over', () => {
  expect(parseProducerLine('topic: bench threadCount: 64 messageSize: 128')).toBeUndefined()
})

test('lines that reach back before the window do not count, and failures do from its first', () => {
  const line = { tps: 100, maxMs: 9, avgMs: 1, sendFailed: 5, responseFailed: 0 }
  const early = Array.from({ length: 10 }, () => line)
  const later = { tps: 300, maxMs: 9, avgMs: 3, sendFailed: 6, responseFailed: 1 }
  expect(summarizeLines([...early, later])).toEqual({ tps: 300, avgMs: 3, failures: 2 })
  expect(summarizeLines([line, later])).toEqual({ tps: 200, avgMs: 2, failures: 2 })
})
