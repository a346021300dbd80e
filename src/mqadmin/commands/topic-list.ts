import { MASTER_ID } from '../../client/topic-route.ts'
import { QueryTopicConsumeByWho } from '../../protocol/requests/topic.ts'
import type { Call, Command } from '../command.ts'
import { cut } from '../printf.ts'
import { Problems } from '../problems.ts'
import { GroupList } from '../../protocol/bodies/group-list.ts'

const ROW = '%-20s  %-48s  %-48s'

export const command: Command = {
  name: 'topicList',
  doc: 'List all topics that the name server knows.',
  options: [
    { short: 'c', long: 'clusterModel', doc: 'with their clusters and groups', isFlag: true },
  ],
  run: topicList,
}

async function topicList(call: Call): Promise<void> {
  const { options, admin, out } = call
  const topics = await admin.topics()
  if (options.has('c')) return withGroups(call, topics)
  for (const topic of topics) out.line(topic)
  out.data(topics)
}

async function withGroups({ admin, out, progress }: Call, all: readonly string[]): Promise<void> {
  out.head(ROW, '#Cluster Name', '#Topic', '#Consumer Group')
  const rows: Row[] = []
  const problems = new Problems()
  const topics = all.filter((each) => !/^%(RETRY|DLQ)%/.test(each))
  using bar = progress(topics.length, 'topics')
  for (const [nth, topic] of topics.entries()) {
    bar.show(nth)
    const found = await groupsOf(admin, topic).catch((error: unknown): Row[] => {
      problems.add(error)
      return []
    })
    rows.push(...found)
    for (const { cluster, group } of found) {
      out.row(ROW, cut(cluster, 20), cut(topic, 48), cut(group, 48))
    }
  }
  out.data(rows)
  problems.end()
}

interface Row {
  cluster: string
  topic: string
  group: string
}

/** One row for a topic without groups, none for one without a master. */
async function groupsOf(admin: Call['admin'], topic: string): Promise<Row[]> {
  const [broker] = (await admin.route(topic)).brokerDatas
  const address = broker?.brokerAddrs.get(MASTER_ID)
  if (broker === undefined || address === undefined) return []
  const { body } = await admin.call(address, QueryTopicConsumeByWho, { topic })
  const { groupList } = GroupList.decode(body)
  const groups = groupList.length === 0 ? [''] : groupList
  return groups.map((group) => ({ cluster: broker.cluster, topic, group }))
}
