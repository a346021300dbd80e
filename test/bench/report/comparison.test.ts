import { expect, test } from 'vitest'
import type { Outcome } from '../../../bench/regimes/regime.ts'
import { comparePairs, comparisonTable } from '../../../bench/report/comparison.ts'
import { outcomeTable } from '../../../bench/report/outcome-table.ts'

function outcome(regime: string, messagesPerSecond: number | null, cpuSeconds: number): Outcome {
  return {
    regime,
    messagesPerSecond,
    messages: messagesPerSecond ?? 0,
    times: null,
    failures: 0,
    broker: {
      seconds: 1,
      userSeconds: cpuSeconds,
      systemSeconds: 0,
      cpuSeconds,
      threads: {},
      contextSwitches: 500,
      writtenBytes: 0,
      residentBytes: 2 ** 20,
      anonymousBytes: 2 ** 19,
      peakBytes: 2 ** 20,
    },
    clientSeconds: 0.1,
    noise: { stealShare: 0, otherShare: 0.01 },
    detail: null,
  }
}

const PAIRS = [
  { reference: [outcome('send', 1000, 0.5)], subject: [outcome('send', 4000, 0.4)] },
  { reference: [outcome('send', 500, 0.5)], subject: [outcome('send', 1500, 0.3)] },
  { reference: [outcome('send', 800, 0.5)], subject: [outcome('send', 4000, 0.4)] },
]

test('a comparison gives medians per side and the median of the ratios of the pairs', () => {
  const figures = comparePairs(PAIRS)
  expect(figures.find(({ figure }) => figure === 'messages/s')).toEqual({
    regime: 'send',
    figure: 'messages/s',
    reference: 800,
    subject: 4000,
    ratio: { pairs: 3, median: 4, min: 3, max: 5 },
  })
})

test('processor time is compared per million messages', () => {
  const cost = comparePairs(PAIRS).find(({ figure }) => figure === 'broker CPU-s/M')
  expect(cost).toMatchObject({ reference: 625, subject: 100 })
})

test('figures that a regime does not have are left out', () => {
  const idle = { reference: [outcome('idle', null, 0.1)], subject: [outcome('idle', null, 0.01)] }
  const names = comparePairs([idle]).map(({ figure }) => figure)
  expect(names).toEqual(['broker CPU %', 'RSS MiB', 'RSS without files MiB', 'switches/s'])
})

test('sides that ran different regimes are refused', () => {
  const uneven = { reference: [outcome('send', 1, 1)], subject: [outcome('one', 1, 1)] }
  expect(() => comparePairs([uneven])).toThrow('a pair without send')
})

test('tables have a line for every figure and every regime', () => {
  const table = comparisonTable(comparePairs(PAIRS), ['apache', 'ringmq'])
  expect(table).toMatch(/send +messages\/s +800 +4 000 +4 +3 +5 +3/)
  expect(outcomeTable([outcome('send', 1000, 0.5)])).toMatch(/\nsend +1 000 /)
})
