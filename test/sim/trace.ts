import type { TraceEntry } from './scheduler.ts'
import type { Place } from './step-transform.ts'
import type { Step } from './steps.ts'

/** Steps as text: who, where, and the line. */
export function traceOf(entries: readonly TraceEntry[], places: readonly Place[]): string[] {
  return entries.map(({ thread, step }) => `  ${thread.padEnd(12)} ${textOf(step, places)}`)
}

function textOf(step: Step, places: readonly Place[]): string {
  if (typeof step === 'string') return step
  if (typeof step === 'object' && 'until' in step) return 'goes on'
  const { path, line, text } = places[typeof step === 'number' ? step : step.place]!
  const woken = typeof step === 'number' ? '' : 'woken: '
  return `${woken}${path}:${line}  ${text}`
}
