import { GetTopicConfig, UpdateAndCreateTopic } from '../../protocol/requests/topic.ts'
import { TopicConfig } from '../../protocol/bodies/topic-config.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import type { NamedBroker } from '../admin.ts'
import { mastersOf } from '../topic-brokers.ts'
import { topicText } from '../topic-text.ts'

export const command: Command = {
  name: 'updateTopicPerm',
  doc: 'Change the permission of a topic, and nothing else of it.',
  options: [
    { short: 'b', long: 'brokerAddr', doc: 'on this broker, host:port' },
    { short: 'c', long: 'clusterName', doc: 'on all masters of this cluster' },
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'p', long: 'perm', doc: 'permission, 2: write, 4: read, 6: both', isRequired: true },
  ],
  oneOf: [['b', 'c']],
  run: updateTopicPerm,
}

async function updateTopicPerm(call: Call): Promise<void> {
  const { options, admin, out } = call
  const topic = options.needed('t')
  options.integer('p', 0, { min: 0, max: 7 })
  const holders = await targetsWithTopic(call, topic)
  const changes: { address: string; from: number; to: number }[] = []
  for (const { address } of holders) {
    const answer = await admin.call(address, GetTopicConfig, { topic })
    changes.push(await change(call, address, TopicConfig.decode(answer.body)))
  }
  out.data({ topic, brokers: changes })
}

/** Masters that hold the topic; of -c only those of the cluster. */
async function targetsWithTopic(
  { options, admin }: Call,
  topic: string,
): Promise<Pick<NamedBroker, 'address'>[]> {
  const holders = await mastersOf(admin, topic)
  const targets = await admin.targets(options.text('b'), options.text('c'))
  const found = targets.filter(({ address }) => holders.includes(address))
  if (found.length > 0) return found
  const asked = options.text('b') ?? options.text('c')
  throw new AdminError(
    `updateTopicPerm error broker not exit or broker is not master!. ${topic} is not on ${asked}, but on ${holders.join(', ') || 'no master'}`,
  )
}

async function change(
  { options, admin, out }: Call,
  address: string,
  config: TopicConfig,
): Promise<{ address: string; from: number; to: number }> {
  const { topicName: topic, perm: from, attributes: _, ...kept } = config // those stay by themselves
  const to = options.integer('p', 0)
  if (from === to && options.has('b')) {
    out.line('new perm equals to the old one!')
    return { address, from, to }
  }
  const header = { ...kept, topic, perm: to, defaultTopic: 'TBW102', force: false }
  await admin.call(address, UpdateAndCreateTopic, header)
  out.line('update topic perm from %s to %s in %s success.', from, to, address)
  if (options.has('b')) out.line(`${topicText({ ...config, perm: to })}.`)
  return { address, from, to }
}
