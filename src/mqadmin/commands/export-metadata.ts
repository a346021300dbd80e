import {
  type SubscriptionGroupConfig,
  SubscriptionGroupWrapper,
} from '../../protocol/bodies/subscription-group.ts'
import { type TopicConfig, TopicConfigWrapper } from '../../protocol/bodies/topic-config.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { exportFile, FILE_OPTION, plainOf } from '../export-file.ts'
import { TARGET_OPTIONS } from '../options.ts'
import { userGroups, userTopics } from '../user-metadata.ts'

export const command: Command = {
  name: 'exportMetadata',
  doc: 'Write the topics and groups of a broker or a cluster to a file, without those of the system.',
  options: [
    ...TARGET_OPTIONS,
    FILE_OPTION,
    { short: 't', long: 'topic', doc: 'only topics: topic.json', isFlag: true },
    {
      short: 'g',
      long: 'subscriptionGroup',
      doc: 'only groups: subscriptionGroup.json',
      isFlag: true,
    },
    {
      short: 's',
      long: 'specialTopic',
      doc: 'with topics of retries and dead letters',
      isFlag: true,
    },
  ],
  oneOf: [['b', 'c']],
  run: exportMetadata,
}

async function exportMetadata(call: Call): Promise<void> {
  const { options } = call
  if (options.has('t') && options.has('g')) throw new AdminError('-t and -g: one of them')
  await (options.has('b') ? ofBroker(call, options.needed('b')) : ofCluster(call))
}

async function ofBroker(call: Call, address: string): Promise<void> {
  const { options, admin } = call
  if (!options.has('t') && !options.has('g')) {
    throw new AdminError('-b needs -t for its topics, or -g for its groups')
  }
  if (options.has('t')) {
    const topics = await userTopics(admin, address, options.has('s'))
    await exportFile(call, 'topic.json', plainOf(TopicConfigWrapper.encode(topics)))
  } else {
    const groups = await userGroups(admin, address)
    const plain = plainOf(SubscriptionGroupWrapper.encode(groups))
    await exportFile(call, 'subscriptionGroup.json', plain)
  }
}

/** What several masters have is there once, with its queues added up (Apache 5.3.3). */
async function ofCluster(call: Call): Promise<void> {
  const { options, admin } = call
  const topics = new Map<string, TopicConfig>()
  const groups = new Map<string, SubscriptionGroupConfig>()
  for (const { address } of await admin.masters(options.needed('c'))) {
    const found = await userTopics(admin, address, options.has('s'))
    for (const [name, config] of found.topicConfigTable) addTopic(topics, name, config)
    const others = await userGroups(admin, address)
    for (const [name, config] of others.subscriptionGroupTable) addGroup(groups, name, config)
  }
  const { topicConfigTable } = plainOf(
    TopicConfigWrapper.encode({ ...NO_TOPICS, topicConfigTable: topics }),
  )
  const { subscriptionGroupTable } = plainOf(
    SubscriptionGroupWrapper.encode({ ...NO_GROUPS, subscriptionGroupTable: groups }),
  )
  const exportTime = Date.now()
  if (options.has('t')) await exportFile(call, 'topic.json', { topicConfigTable, exportTime })
  else if (options.has('g')) {
    await exportFile(call, 'subscriptionGroup.json', { subscriptionGroupTable, exportTime })
  } else {
    const both = { exportTime, topicConfigTable, subscriptionGroupTable }
    await exportFile(call, 'metadata.json', both)
  }
}

const NO_TOPICS = TopicConfigWrapper.decode(Buffer.from('{}'))
const NO_GROUPS = SubscriptionGroupWrapper.decode(Buffer.from('{}'))

function addTopic(topics: Map<string, TopicConfig>, name: string, config: TopicConfig): void {
  const known = topics.get(name)
  const read = config.readQueueNums + (known?.readQueueNums ?? 0)
  const write = config.writeQueueNums + (known?.writeQueueNums ?? 0)
  topics.set(name, { ...config, readQueueNums: read, writeQueueNums: write })
}

function addGroup(
  groups: Map<string, SubscriptionGroupConfig>,
  name: string,
  config: SubscriptionGroupConfig,
): void {
  const retryQueueNums = config.retryQueueNums + (groups.get(name)?.retryQueueNums ?? 0)
  groups.set(name, { ...config, retryQueueNums })
}
