import { expect, test } from 'vitest'
import { noiseBetween, sampleMachine } from '../../../bench/lab/machine.ts'
import { sampleProcess, usageBetween } from '../../../bench/lab/process-usage.ts'

function spin(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}

test('a process that works shows as processor time of its main thread', () => {
  const before = sampleProcess(process.pid)
  spin(200)
  const usage = usageBetween(before, sampleProcess(process.pid))
  expect(usage.cpuSeconds).toBeGreaterThan(0.01)
  expect(usage.cpuSeconds).toBeCloseTo(usage.userSeconds + usage.systemSeconds)
  expect(usage.seconds).toBeGreaterThan(0.19)
  expect(Math.max(...Object.values(usage.threads))).toBeGreaterThan(0.01)
  expect(usage.residentBytes).toBeGreaterThan(2 ** 20)
  expect(usage.peakBytes).toBeGreaterThanOrEqual(usage.residentBytes)
})

test('a process that is gone cannot be sampled', () => {
  expect(() => sampleProcess(2 ** 22)).toThrow('ENOENT')
})

test('noise is what the machine did beside the measurement', () => {
  const before = { busy: 10, steal: 1, total: 100 }
  const after = { busy: 14, steal: 1.5, total: 110 }
  expect(noiseBetween(before, after, 3)).toEqual({ stealShare: 0.05, otherShare: 0.1 })
  expect(noiseBetween(before, after, 5).otherShare).toBe(0)
})

test("the machine's own counters add up", () => {
  const { busy, steal, total } = sampleMachine()
  expect(busy).toBeGreaterThan(0)
  expect(total).toBeGreaterThanOrEqual(busy + steal)
})
