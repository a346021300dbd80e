import { TopicConfig, TopicConfigList } from '../../protocol/bodies/topic-config.ts'
import { UpdateAndCreateTopicList } from '../../protocol/requests/topic.ts'
import type { Call, Command } from '../command.ts'
import { readList } from '../json-file.ts'

export const command: Command = {
  name: 'updateTopicList',
  doc: 'Create topics or change their settings, all that stand in a file.',
  options: [
    { short: 'b', long: 'brokerAddr', doc: 'on this broker, host:port' },
    { short: 'c', long: 'clusterName', doc: 'on all masters of this cluster' },
    {
      short: 'f',
      long: 'filename',
      doc: 'a JSON array: [{"topicName":"T","readQueueNums":8,"writeQueueNums":8,"perm":6}]',
      isRequired: true,
    },
  ],
  oneOf: [['b', 'c']],
  run: updateTopicList,
}

async function updateTopicList({ options, admin, out }: Call): Promise<void> {
  const topicConfigList = await readList(options.needed('f'), TopicConfig)
  const body = TopicConfigList.encode({ topicConfigList })
  const targets = await admin.targets(options.text('b'), options.text('c'))
  for (const { address } of targets) {
    await admin.call(address, UpdateAndCreateTopicList, {}, { body })
    out.line(`submit batch of topic config to ${address} success, please check the result later.`)
  }
  const topics = topicConfigList.map(({ topicName }) => topicName)
  out.data({ topics, brokers: targets.map(({ address }) => address) })
}
