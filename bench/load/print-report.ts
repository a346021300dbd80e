import { formatNumber, formatTime } from '../report/table.ts'
import type { Times } from '../report/summary.ts'
import type { LoadReport } from './run-load.ts'

/** The report as lines for people. */
export function printReport(report: LoadReport): string {
  return [
    rateLine(report),
    timesLine('RT ms', report.times),
    ...(report.serviceTimes ? [timesLine('from real send', report.serviceTimes)] : []),
    costLine(report),
    ...troubleLines(report),
  ].join('\n')
}

function rateLine({ messagesPerSecond, messages, seconds, perSecond, bytes }: LoadReport): string {
  const slowest = perSecond ? `, slowest second ${formatNumber(perSecond.min)}` : ''
  const megabytes = bytes > 0 ? `, ${formatNumber(bytes / seconds / 1e6)} MB/s` : ''
  const total = `${formatNumber(messages)} in ${formatNumber(seconds)} s`
  return `${formatNumber(messagesPerSecond)} messages/s${megabytes} (${total}${slowest})`
}

function timesLine(title: string, times: Times | null): string {
  if (!times) return `${title}: no reply`
  const { min, avg, p50, p90, p99, p999, p9999, max } = times
  const named = { min, avg, p50, p90, p99, 'p99.9': p999, 'p99.99': p9999, max }
  const cells = Object.entries(named).map(([name, value]) => `${name} ${formatTime(value)}`)
  return `${title}: ${cells.join('  ')}`
}

function costLine({ generator, broker, messages, noise }: LoadReport): string {
  const perMillion = (seconds: number): string => formatNumber((seconds / messages) * 1e6)
  const share = (value: number): string => `${formatNumber(value * 100)} %`
  const theirs = broker ? `, broker ${perMillion(broker.cpuSeconds)}` : ''
  const others = `others ${share(noise.otherShare)}, steal ${share(noise.stealShare)}`
  return `CPU-s per million: generator ${perMillion(generator.cpuSeconds)}${theirs}; ${others}`
}

function troubleLines(report: LoadReport): string[] {
  const { failures, late, unexpected, unanswered, acknowledged, stored } = report
  const lines = failures.map(({ code, count, remark }) => `code ${code}: ${count} times, ${remark}`)
  if (late > 0) lines.push(`late: ${late} requests left more than 5 ms after their time`)
  if (unexpected > 0) lines.push(`unexpected: ${unexpected} replies to nothing asked`)
  if (unanswered > 0) lines.push(`unanswered: ${unanswered} requests after the end`)
  if (stored !== acknowledged) {
    lines.push(`${acknowledged} messages were acknowledged, the queues hold ${stored}`)
  }
  return lines
}
