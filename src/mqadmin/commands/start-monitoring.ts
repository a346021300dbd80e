import { setTimeout as pause } from 'node:timers/promises'
import { ConsumeStats } from '../../protocol/bodies/consume-stats.ts'
import { TopicList } from '../../protocol/bodies/topic-list.ts'
import { GetConsumeStats } from '../../protocol/requests/query.ts'
import { GetAllTopicListFromNameserver } from '../../protocol/requests/route.ts'
import type { Call, Command } from '../command.ts'
import { humanTime } from '../printf.ts'

const ROUND_MS = 60_000
const RETRY_PREFIX = '%RETRY%'

export const command: Command = {
  name: 'startMonitoring',
  doc: 'Watch all groups: every minute, say which have messages that they have not consumed.',
  options: [],
  run: startMonitoring,
}

/** What a group has not consumed of a topic, by Apache's names (MonitorListener). */
interface Undone {
  consumerGroup: string
  topic: string
  undoneMsgsTotal: number
  /** Of the queue that is furthest behind. */
  undoneMsgsSingleMQ: number
  /** How long ago the last message was stored that it has consumed there. */
  undoneMsgsDelayTimeMills: number
}

/** Apache writes what it finds into a log; a tool that runs in a terminal says it there. */
async function startMonitoring({ admin, out, stopped }: Call): Promise<void> {
  while (!stopped.aborted) {
    for (const group of await groups(admin)) {
      for (const undone of await undoneOf(admin, group)) {
        out.line(`${humanTime(Date.now())} ${text(undone)}`)
        out.data(undone)
      }
    }
    await pause(ROUND_MS, undefined, { signal: stopped }).catch(() => undefined)
  }
}

/** Each group that ever consumed has a topic for its retries. */
async function groups(admin: Call['admin']): Promise<string[]> {
  const { body } = await admin.askNameServer(GetAllTopicListFromNameserver, {})
  const { topicList } = TopicList.decode(body)
  const retries = topicList.filter((topic) => topic.startsWith(RETRY_PREFIX))
  return retries.map((topic) => topic.slice(RETRY_PREFIX.length))
}

async function undoneOf(admin: Call['admin'], consumerGroup: string): Promise<Undone[]> {
  const tables = await Promise.all(
    (await admin.masters()).map(async ({ address }) => {
      const { body } = await admin.call(address, GetConsumeStats, { consumerGroup })
      return ConsumeStats.decode(body).offsetTable
    }),
  )
  const byTopic = Map.groupBy(tables.flat(), ([{ topic }]) => topic)
  const all = [...byTopic].map(([topic, queues]): Undone => {
    const behind = queues.map(([, { brokerOffset, consumerOffset, lastTimestamp }]) => ({
      count: Math.max(0, brokerOffset - consumerOffset),
      lastTimestamp,
    }))
    const [worst] = behind.toSorted((a, b) => b.count - a.count)
    const last = worst?.lastTimestamp ?? 0
    return {
      consumerGroup,
      topic,
      undoneMsgsTotal: behind.reduce((sum, { count }) => sum + count, 0),
      undoneMsgsSingleMQ: worst?.count ?? 0,
      undoneMsgsDelayTimeMills: last > 0 ? Math.max(0, Date.now() - last) : 0,
    }
  })
  return all.filter(({ undoneMsgsTotal }) => undoneMsgsTotal > 0)
}

function text(undone: Undone): string {
  const fields = Object.entries(undone).map(([name, value]) => `${name}=${value}`)
  return `UndoneMsgs [${fields.join(', ')}]`
}
