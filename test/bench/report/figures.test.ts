import { describe, expect, test } from 'vitest'
import { recordMs, responseTimes } from '../../../bench/load/recorder.ts'
import { median, summarizeRatios } from '../../../bench/report/ratios.ts'
import { spread, summarize } from '../../../bench/report/summary.ts'
import { formatNumber, formatTable, formatTime } from '../../../bench/report/table.ts'

describe('response times', () => {
  test('are summarized in microseconds', () => {
    const times = responseTimes()
    for (let i = 1; i <= 10_000; i++) recordMs(times, i / 1000) // 1 to 10 000 µs
    const summary = summarize(times)!
    expect(summary).toMatchObject({ count: 10_000, min: 1 })
    const expected = { avg: 5000.5, p50: 5000, p90: 9000, p99: 9900, p999: 9990, max: 10_000 }
    for (const [name, value] of Object.entries(expected)) {
      const found = summary[name as keyof typeof expected]
      expect(Math.abs(found / value - 1), name).toBeLessThan(0.001)
    }
  })

  test('below a microsecond keep a tenth of it', () => {
    const times = responseTimes()
    recordMs(times, 0.0234)
    expect(summarize(times)).toMatchObject({ p50: 23.4, max: 23.4 })
  })

  test('of more than a minute count as a minute', () => {
    const times = responseTimes()
    recordMs(times, 1e9)
    expect(summarize(times)!.max / 60e6).toBeCloseTo(1, 2)
  })

  test('are none when nothing was recorded', () => {
    expect(summarize(responseTimes())).toBeNull()
  })
})

describe('seconds', () => {
  test('are summarized by mean, lowest and deviation', () => {
    expect(spread([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({ mean: 5, min: 2, deviation: 2 })
    expect(spread([])).toBeNull()
  })
})

describe('the median', () => {
  test('is the middle value, or between the two middle ones', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([9, 1, 5, 6])).toBe(5.5)
    expect(() => median([])).toThrow('no median')
  })
})

describe('ratios', () => {
  test('are taken inside each pair', () => {
    const summary = summarizeRatios([10, 30, 4], [2, 10, 1])
    expect(summary).toEqual({ pairs: 3, median: 4, min: 3, max: 5 })
  })

  test('leave out pairs in which a side has no figure', () => {
    expect(summarizeRatios([10, null, 4], [2, 10, 0])).toMatchObject({ pairs: 1, median: 5 })
    expect(summarizeRatios([null], [1])).toBeNull()
  })
})

describe('a table', () => {
  test('aligns numbers to the right under their titles', () => {
    const lines = formatTable(
      ['regime', 'ms'],
      [
        ['send', '1.5'],
        ['one', '12'],
      ],
    ).split('\n')
    expect(lines).toEqual(['regime   ms', 'send    1.5', 'one      12'])
  })

  test('shows three digits of a small number and groups a large one', () => {
    expect([0.01234, 5, 99.94, 123.6, 1_234_567].map(formatNumber)).toEqual([
      '0.0123',
      '5',
      '99.9',
      '124',
      '1 234 567',
    ])
    expect([formatNumber(null), formatTime(undefined), formatTime(1500)]).toEqual(['-', '-', '1.5'])
  })
})
