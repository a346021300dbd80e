import { setTimeout as pause } from 'node:timers/promises'
import type { Call, Command } from '../command.ts'
import { brokersOfGroup, consumeStats, groupNames } from '../consumer-groups.ts'
import { failureText } from '../failure-text.ts'
import { humanTime } from '../printf.ts'

const ROUND_MS = 60_000

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
async function startMonitoring(call: Call): Promise<void> {
  const { admin, stopped } = call
  while (!stopped.aborted) {
    for (const group of await groupNames(admin)) await report(call, group)
    await pause(ROUND_MS, undefined, { signal: stopped }).catch(() => undefined)
  }
}

/** A group that cannot be asked does not end the watch over the others. */
async function report({ admin, out }: Call, consumerGroup: string): Promise<void> {
  try {
    for (const undone of await undoneOf(admin, consumerGroup)) {
      out.line(`${humanTime(Date.now())} ${text(undone)}`)
      out.data(undone)
    }
  } catch (error) {
    const problem = failureText(error)
    if (problem === null) throw error
    out.line(`${humanTime(Date.now())} ${consumerGroup}: ${problem}`)
    out.data({ consumerGroup, problem })
  }
}

async function undoneOf(admin: Call['admin'], consumerGroup: string): Promise<Undone[]> {
  const addresses = await brokersOfGroup(admin, consumerGroup)
  const { queues: known } = await consumeStats(admin, consumerGroup, { topic: null, addresses })
  const byTopic = Map.groupBy(known, ([{ topic }]) => topic)
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
