import { AdminError, type Call, type Command } from '../command.ts'
import { messagesByKey } from '../message-search.ts'
import { timeOption } from '../time-option.ts'
import { type TraceRecord, tracesOf } from '../trace-records.ts'
import { humanTime } from '../printf.ts'

const ROW = '%-10s %-20s %-20s %-20s %-10s %-10s'

export const command: Command = {
  name: 'queryMsgTraceById',
  doc: 'Show what producers and consumers said of a message in their traces.',
  options: [
    { short: 'i', long: 'msgId', doc: 'id that the producer gave it', isRequired: true },
    { short: 't', long: 'traceTopic', doc: 'topic of the traces, else RMQ_SYS_TRACE_TOPIC' },
    { short: 'b', long: 'beginTimestamp', doc: 'traces stored from then on, ms' },
    { short: 'e', long: 'endTimestamp', doc: 'traces stored until then, ms' },
    { short: 'c', long: 'maxNum', doc: 'most messages of traces, else 64' },
  ],
  run: queryMsgTraceById,
}

async function queryMsgTraceById({ options, admin, out }: Call): Promise<void> {
  const id = options.needed('i')
  const topic = options.text('t') ?? 'RMQ_SYS_TRACE_TOPIC'
  const messages = await messagesByKey(admin, {
    topic,
    key: id,
    max: options.integer('c', 64, { min: 1, max: 2 ** 31 - 1 }),
    begin: timeOption(options, 'b') ?? 0,
    end: timeOption(options, 'e') ?? Number.MAX_SAFE_INTEGER,
  })
  const traces = messages.flatMap(tracesOf).filter(({ msgId }) => msgId === id)
  if (traces.length === 0) throw new AdminError(`topic ${topic} has no trace of message ${id}`)
  print(traces, out)
  out.data(traces)
}

function print(traces: readonly TraceRecord[], out: Call['out']): void {
  const tail = ['#CostTimes', '#Status']
  for (const trace of traces.filter(({ type }) => type === 'Pub')) {
    out.head(ROW, '#Type', '#ProducerGroup', '#ClientHost', '#SendTime', ...tail)
    printRow('Pub', trace, out)
    out.line('')
  }
  const consumed = traces.filter(({ type }) => type === 'SubAfter')
  for (const [, ofGroup] of Map.groupBy(consumed, ({ group }) => group)) {
    out.head(ROW, '#Type', '#ConsumerGroup', '#ClientHost', '#ConsumerTime', ...tail)
    for (const trace of ofGroup) printRow('Sub', trace, out)
    out.line('')
  }
}

function printRow(type: string, trace: TraceRecord, out: Call['out']): void {
  const { group, clientHost, timestamp, costMs, isSuccess } = trace
  const time = timestamp > 0 ? humanTime(timestamp).slice(0, 19) : ''
  out.row(ROW, type, group, clientHost, time, `${costMs}ms`, isSuccess ? 'success' : 'failed')
}
