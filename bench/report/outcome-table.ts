import type { Outcome } from '../regimes/regime.ts'
import { formatMebibytes, formatNumber, formatTable, formatTime } from './table.ts'

const HEADER = [
  'regime',
  'messages/s',
  ...['p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max'].map((name) => `${name} ms`),
  'failed',
  'CPU-s/M',
  'CPU %',
  'client CPU-s/M',
  'RSS MiB',
  'switches/s',
  'others %',
  'steal %',
]

/** CPU seconds per million messages; null where no messages flow. */
export function perMillion(seconds: number, messages: number): number | null {
  return messages > 0 ? (seconds / messages) * 1e6 : null
}

/** One line per regime. `CPU %` is of one processor; `others` and `steal` are shares of the machine. */
export function outcomeTable(outcomes: Outcome[]): string {
  return formatTable(HEADER, outcomes.map(outcomeRow))
}

function outcomeRow(outcome: Outcome): string[] {
  const { times, broker, messages, noise } = outcome
  return [
    outcome.regime,
    formatNumber(outcome.messagesPerSecond),
    ...[times?.p50, times?.p90, times?.p99, times?.p999, times?.p9999, times?.max].map(formatTime),
    formatNumber(outcome.failures),
    formatNumber(perMillion(broker.cpuSeconds, messages)),
    formatNumber((broker.cpuSeconds / broker.seconds) * 100),
    formatNumber(perMillion(outcome.clientSeconds, messages)),
    formatMebibytes(broker.residentBytes),
    formatNumber(broker.contextSwitches / broker.seconds),
    formatNumber(noise.otherShare * 100),
    formatNumber(noise.stealShare * 100),
  ]
}
