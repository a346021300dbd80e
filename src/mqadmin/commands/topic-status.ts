import { TopicStatsTable } from '../../protocol/bodies/message-queue.ts'
import { GetTopicStatsInfo } from '../../protocol/requests/topic.ts'
import type { Call, Command } from '../command.ts'
import { cut, humanTime } from '../printf.ts'

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
  const cluster = options.text('c')
  const { brokerDatas } = await admin.route(topic)
  const tables = await Promise.all(
    brokerDatas
      .filter((broker) => cluster === null || broker.cluster === cluster)
      .map((broker) => broker.brokerAddrs.get(0))
      .filter((address) => address !== undefined)
      .map(async (address) => {
        const { body } = await admin.call(address, GetTopicStatsInfo, { topic })
        return TopicStatsTable.decode(body)
      }),
  )
  const queues = tables.flatMap(({ offsetTable }) => offsetTable).toSorted(byPlace)
  out.line(ROW, '#Broker Name', '#QID', '#Min Offset', '#Max Offset', '#Last Updated')
  for (const [{ brokerName, queueId }, offsets] of queues) {
    const { minOffset, maxOffset, lastUpdateTimestamp: last } = offsets
    const time = last > 0 ? humanTime(last) : ''
    out.line(ROW, cut(brokerName, NAME_WIDTH), queueId, minOffset, maxOffset, time)
  }
  const tps = tables.reduce((sum, { topicPutTps }) => sum + (topicPutTps ?? 0), 0)
  out.line('')
  out.line(`Topic Put TPS: ${Number.isInteger(tps) ? tps.toFixed(1) : tps}`)
  out.data({ queues: queues.map(([queue, offsets]) => ({ ...queue, ...offsets })), putTps: tps })
}

type Place = readonly [{ brokerName: string; queueId: number }, unknown]

function byPlace([a]: Place, [b]: Place): number {
  if (a.brokerName !== b.brokerName) return a.brokerName < b.brokerName ? -1 : 1
  return a.queueId - b.queueId
}
