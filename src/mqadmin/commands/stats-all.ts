import { GroupList } from '../../protocol/bodies/group-list.ts'
import { QueryTopicConsumeByWho } from '../../protocol/requests/topic.ts'
import type { Admin } from '../admin.ts'
import type { Call, Command } from '../command.ts'
import { consumeStats } from '../consumer-groups.ts'
import { type Flow, flowOf } from '../message-flow.ts'
import type { Output } from '../output.ts'
import { cut } from '../printf.ts'
import { Problems } from '../problems.ts'
import { holdersOf } from '../topic-brokers.ts'

const HEAD = '%-64s  %-64s %12s %11s %11s %14s %14s'
const ROW = '%-64s  %-64s %12d %11.2f %11.2f %14d %14d'
const UNCONSUMED_ROW = '%-64s  %-64s %12d %11.2f %11s %14d %14s'

export const command: Command = {
  name: 'statsAll',
  doc: 'Show how much goes into each topic and out of it, and how far its groups are behind.',
  options: [
    {
      short: 'a',
      long: 'activeTopic',
      doc: 'only topics with messages in 24 hours',
      isFlag: true,
    },
    { short: 't', long: 'topic', doc: 'only this topic' },
  ],
  run: statsAll,
}

interface Row {
  topic: string
  /** Null: nobody consumes it. */
  group: string | null
  accumulation: number
  in: Flow
  out: Flow
}

async function statsAll({ options, admin, out, progress }: Call): Promise<void> {
  const only = options.text('t')
  const isActiveOnly = options.has('a')
  const rows: Row[] = []
  const heads = ['#Topic', '#Consumer Group', '#Accumulation', '#InTPS', '#OutTPS']
  out.head(HEAD, ...heads, '#InMsg24Hour', '#OutMsg24Hour')
  const topics = only === null ? await topicsOf(admin) : [only]
  const problems = new Problems()
  using bar = progress(topics.length, 'topics')
  for (const [nth, topic] of topics.entries()) {
    bar.show(nth)
    const found = await topicRows(admin, topic).catch((error: unknown): Row[] => {
      if (only !== null) throw error
      problems.add(error)
      return []
    })
    const shown = found.filter((row) => !isActiveOnly || row.in.day > 0 || row.out.day > 0)
    for (const row of shown) print(row, out)
    rows.push(...shown)
  }
  out.data(rows)
  problems.end()
}

/** Neither retry nor dead letter topics: they are part of their group. */
async function topicsOf(admin: Admin): Promise<string[]> {
  return (await admin.topics()).filter((topic) => !/^%(RETRY|DLQ)%/.test(topic))
}

async function topicRows(admin: Admin, topic: string): Promise<Row[]> {
  const addresses = await holdersOf(admin, topic)
  const input = await flowOf(admin, addresses, { statsName: 'TOPIC_PUT_NUMS', statsKey: topic })
  const groups = await groupsOf(admin, addresses, topic)
  if (groups.length === 0) {
    return [{ topic, group: null, accumulation: 0, in: input, out: { tps: 0, day: 0 } }]
  }
  return Promise.all(
    groups.map(async (group): Promise<Row> => {
      const statsKey = `${topic}@${group}`
      const { queues } = await consumeStats(admin, group, { topic, addresses })
      const diff = queues.reduce((sum, [, at]) => sum + at.brokerOffset - at.consumerOffset, 0)
      const output = await flowOf(admin, addresses, { statsName: 'GROUP_GET_NUMS', statsKey })
      return { topic, group, accumulation: Math.max(0, diff), in: input, out: output }
    }),
  )
}

async function groupsOf(
  admin: Admin,
  addresses: readonly string[],
  topic: string,
): Promise<string[]> {
  const answers = await Promise.all(
    addresses.map((address) => admin.call(address, QueryTopicConsumeByWho, { topic })),
  )
  return [...new Set(answers.flatMap(({ body }) => GroupList.decode(body).groupList))]
}

function print({ topic, group, accumulation, in: input, out: output }: Row, out: Output): void {
  const name = cut(topic, 64)
  if (group === null) out.row(UNCONSUMED_ROW, name, '', 0, input.tps, '', input.day, 'NO_CONSUMER')
  else {
    const names = [name, cut(group, 64)]
    out.row(ROW, ...names, accumulation, input.tps, output.tps, input.day, output.day)
  }
}
