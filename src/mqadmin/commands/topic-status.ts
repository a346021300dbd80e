import { TopicStatsTable } from '../../protocol/bodies/message-queue.ts'
import { GetTopicStatsInfo } from '../../protocol/requests/topic.ts'
import type { Call, Command } from '../command.ts'
import { byQueue } from '../consumer-groups.ts'
import { cut, humanTime } from '../printf.ts'
import { mastersOf } from '../topic-brokers.ts'

const ROW = '%-32s  %-4s  %-20s  %-20s    %s'
const NAME_WIDTH = 32

export const command: Command = {
  name: 'topicStatus',
  doc: "Show a topic's queues: first and next offset, time of the last message.",
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'c', long: 'cluster', doc: 'only brokers of this cluster' },
  ],
  run: topicStatus,
}

async function topicStatus({ options, admin, out }: Call): Promise<void> {
  const topic = options.needed('t')
  const masters = await mastersOf(admin, topic, options.text('c'))
  const tables = await Promise.all(
    masters.map(async (address) => {
      const { body } = await admin.call(address, GetTopicStatsInfo, { topic })
      return TopicStatsTable.decode(body)
    }),
  )
  const queues = tables.flatMap(({ offsetTable }) => offsetTable).toSorted(byQueue)
  out.head(ROW, '#Broker Name', '#QID', '#Min Offset', '#Max Offset', '#Last Updated')
  for (const [{ brokerName, queueId }, offsets] of queues) {
    const { minOffset, maxOffset, lastUpdateTimestamp: last } = offsets
    const time = last > 0 ? humanTime(last) : ''
    out.row(ROW, cut(brokerName, NAME_WIDTH), queueId, minOffset, maxOffset, time)
  }
  const tps = tables.reduce((sum, { topicPutTps }) => sum + (topicPutTps ?? 0), 0)
  out.line('')
  out.line(`Topic Put TPS: ${Number.isInteger(tps) ? tps.toFixed(1) : tps}`)
  out.data({ queues: queues.map(([queue, offsets]) => ({ ...queue, ...offsets })), putTps: tps })
}
