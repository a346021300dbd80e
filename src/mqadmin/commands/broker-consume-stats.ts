import { ConsumeStatsList } from '../../protocol/bodies/consume-stats.ts'
import { GetBrokerConsumeStats } from '../../protocol/requests/query.ts'
import type { Call, Command } from '../command.ts'
import { cut, humanTime } from '../printf.ts'

const ROW = '%-64s  %-64s  %-32s  %-4s  %-20s  %-20s  %-20s  %s'
const TIMEOUT_MS = 50_000

export const command: Command = {
  name: 'brokerConsumeStats',
  doc: 'Show how far every group is behind in every queue of a broker.',
  options: [
    { short: 'b', long: 'brokerAddr', doc: 'broker, host:port', isRequired: true },
    { short: 't', long: 'timeoutMillis', doc: 'how long to wait in ms, else 50000' },
    { short: 'l', long: 'level', doc: 'only queues that are as many messages behind' },
    { short: 'o', long: 'order', doc: 'only ordered topics (true|false), else false' },
  ],
  run: brokerConsumeStats,
}

async function brokerConsumeStats({ options, admin, out }: Call): Promise<void> {
  const timeoutMs = options.integer('t', TIMEOUT_MS, { min: 1 })
  const level = options.integer('l', 0)
  const header = { isOrder: options.boolean('o', false) }
  const { body } = await admin.call(options.needed('b'), GetBrokerConsumeStats, header, {
    timeoutMs,
  })
  const { consumeStatsList, totalDiff } = ConsumeStatsList.decode(body)
  const rows = consumeStatsList
    .flatMap((each) => [...each].flatMap(rowsOf))
    .filter((row) => {
      return row.lastTimestamp > 0 && row.diff >= level // what was never consumed has no time
    })
  const heads = ['#Topic', '#Group', '#Broker Name', '#QID', '#Broker Offset', '#Consumer Offset']
  out.head(ROW, ...heads, '#Diff', '#LastTime')
  for (const { topic, group, brokerName, queueId, diff, ...row } of rows) {
    out.row(
      ROW,
      cut(topic, 64),
      cut(group, 64),
      cut(brokerName, 32),
      queueId,
      row.brokerOffset,
      row.consumerOffset,
      diff,
      humanTime(row.lastTimestamp).slice(0, 19),
    )
  }
  out.line('')
  out.line('Diff Total: %d', totalDiff)
  out.data({ queues: rows, totalDiff })
}

function rowsOf([group, stats]: [string, { offsetTable: readonly QueueRow[] }[]]) {
  return stats.flatMap(({ offsetTable }) =>
    offsetTable
      .toSorted(([a], [b]) => a.queueId - b.queueId)
      .map(([queue, offsets]) => {
        const diff = offsets.brokerOffset - offsets.consumerOffset
        return { group, ...queue, ...offsets, diff }
      }),
  )
}

type QueueRow = readonly [
  { topic: string; brokerName: string; queueId: number },
  { brokerOffset: number; consumerOffset: number; lastTimestamp: number },
]
