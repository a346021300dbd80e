import type { Histogram } from 'hdr-histogram-js'
import { STEPS_PER_MS } from '../load/recorder.ts'

/** Response times in microseconds. */
export interface Times {
  count: number
  min: number
  avg: number
  p50: number
  p90: number
  p99: number
  p999: number
  p9999: number
  max: number
}

const STEPS_PER_MICROSECOND = STEPS_PER_MS / 1000

/** Null when nothing was recorded. */
export function summarize(times: Histogram): Times | null {
  if (times.totalCount === 0) return null
  const at = (percentile: number): number =>
    times.getValueAtPercentile(percentile) / STEPS_PER_MICROSECOND
  return {
    count: times.totalCount,
    min: times.minNonZeroValue / STEPS_PER_MICROSECOND,
    avg: Math.round(times.mean) / STEPS_PER_MICROSECOND,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    p9999: at(99.99),
    max: times.maxValue / STEPS_PER_MICROSECOND,
  }
}

/** Mean, lowest and standard deviation of the messages of each whole second. */
export function spread(
  perSecond: number[],
): { mean: number; min: number; deviation: number } | null {
  if (perSecond.length === 0) return null
  const mean = perSecond.reduce((sum, value) => sum + value, 0) / perSecond.length
  const variance = perSecond.reduce((sum, value) => sum + (value - mean) ** 2, 0) / perSecond.length
  return { mean, min: Math.min(...perSecond), deviation: Math.sqrt(variance) }
}
