import { javaDouble } from '../base/java-double.ts'
import type { BrokerStats } from './broker-stats.ts'
import { Count, type CounterReader, PUT_TIMES } from './worker-counters.ts'

/** As Apache 5.3.3 names the spans of PUT_TIMES, and what lies beyond. */
const SPAN_NAMES = [
  '<=0ms',
  '0~10ms',
  '10~50ms',
  '50~100ms',
  '100~200ms',
  '200~500ms',
  '500ms~1s',
  '1~2s',
  '2~3s',
  '3~4s',
  '4~5s',
  '5~10s',
  '10s~',
]

/**
 * What Apache's broker tells of its thread pools and mapped memory. RingMQ has none of
 * them, and tools that parse the table (the Prometheus exporter) fail when one is missing.
 */
const NONE: readonly [string, string][] = [
  ['EndTransactionQueueSize', '0'],
  ['EndTransactionThreadPoolQueueCapacity', '100000'],
  ['ackThreadPoolQueueCapacity', '100000'],
  ['ackThreadPoolQueueHeadWaitTimeMills', '0'],
  ['ackThreadPoolQueueSize', '0'],
  ['dispatchMaxBuffer', '0'],
  ['getMessageEntireTimeMax', '0'],
  ['litePullThreadPoolQueueCapacity', '100000'],
  ['litePullThreadPoolQueueHeadWaitTimeMills', '0'],
  ['litePullThreadPoolQueueSize', '0'],
  ['pageCacheLockTimeMills', '0'],
  ['pullThreadPoolQueueCapacity', '100000'],
  ['pullThreadPoolQueueHeadWaitTimeMills', '0'],
  ['pullThreadPoolQueueSize', '0'],
  ['putMessageFailedTimes', '0'],
  ['queryThreadPoolQueueCapacity', '20000'],
  ['queryThreadPoolQueueHeadWaitTimeMills', '0'],
  ['queryThreadPoolQueueSize', '0'],
  ['remainTransientStoreBufferNumbs', '2147483647'],
  ['sendThreadPoolQueueCapacity', '10000'],
  ['sendThreadPoolQueueHeadWaitTimeMills', '0'],
  ['sendThreadPoolQueueSize', '0'],
]

/** Counters in GET_BROKER_RUNTIME_INFO, by Apache's keys and in its formats. */
export function* statsInfo(
  stats: BrokerStats,
  counters: CounterReader,
): Iterable<readonly [string, string]> {
  yield* NONE
  const { today, yesterday } = stats.mornings()
  const now = stats.totals()
  yield ['msgPutTotalYesterdayMorning', String(yesterday.puts)]
  yield ['msgPutTotalTodayMorning', String(today.puts)]
  yield ['msgPutTotalTodayNow', String(now.puts)]
  yield ['msgGetTotalYesterdayMorning', String(yesterday.gets)]
  yield ['msgGetTotalTodayMorning', String(today.gets)]
  yield ['msgGetTotalTodayNow', String(now.gets)]
  yield* speedInfo(stats)
  const puts = Math.max(1, counters.total(Count.PUTS)) // Apache's is never 0
  const bytes = counters.total(Count.PUT_BYTES)
  yield ['putMessageTimesTotal', String(puts)]
  yield ['putMessageSizeTotal', String(bytes)]
  yield ['putMessageAverageSize', javaDouble(bytes / puts)]
  yield ['putMessageEntireTimeMax', String(Math.floor(counters.greatest(Count.PUT_MS_MAX)))]
  const spans = stats.putTimes()
  const shown = spans.map((count, nth) => `[${SPAN_NAMES[nth]}]:${count} `)
  yield ['putMessageDistributeTime', shown.join('')]
  yield ['putLatency99', latency(spans, 0.99)]
  yield ['putLatency999', latency(spans, 0.999)]
}

function* speedInfo({ speeds }: BrokerStats): Iterable<readonly [string, string]> {
  const text = (values: readonly number[]) => values.map(javaDouble).join(' ')
  const [found, miss] = [speeds.found.perSecond(), speeds.miss.perSecond()]
  yield ['putTps', text(speeds.puts.perSecond())]
  yield ['getFoundTps', text(found)]
  yield ['getMissTps', text(miss)]
  yield ['getTotalTps', text(found.map((each, nth) => each + (miss[nth] ?? 0)))]
  yield ['getTransferredTps', text(speeds.got.perSecond())]
}

/** The upper end in ms of the span that this share of puts is below. */
function latency(spans: readonly number[], share: number): string {
  const total = spans.reduce((sum, count) => sum + count, 0)
  let below = 0
  for (const [nth, count] of spans.entries()) {
    below += count
    if (below >= total * share) return (PUT_TIMES[nth] ?? PUT_TIMES.at(-1)!).toFixed(2)
  }
  return '0.00'
}
