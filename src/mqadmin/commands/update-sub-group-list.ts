import {
  SubscriptionGroupConfig,
  SubscriptionGroupList,
} from '../../protocol/bodies/subscription-group.ts'
import { UpdateAndCreateSubscriptionGroupList } from '../../protocol/requests/group.ts'
import type { Call, Command } from '../command.ts'
import { readList } from '../json-file.ts'

export const command: Command = {
  name: 'updateSubGroupList',
  doc: 'Create consumer groups or change their settings, all that stand in a file.',
  options: [
    { short: 'b', long: 'brokerAddr', doc: 'on this broker, host:port' },
    { short: 'c', long: 'clusterName', doc: 'on all masters of this cluster' },
    {
      short: 'f',
      long: 'filename',
      doc: 'a JSON array: [{"groupName":"G","retryMaxTimes":3}]',
      isRequired: true,
    },
  ],
  oneOf: [['b', 'c']],
  run: updateSubGroupList,
}

async function updateSubGroupList({ options, admin, out }: Call): Promise<void> {
  const groupConfigList = await readList(options.needed('f'), SubscriptionGroupConfig)
  const body = SubscriptionGroupList.encode({ groupConfigList })
  const cluster = options.text('c')
  const kind = cluster === null ? 'group' : 'subscription group'
  const targets = await admin.targets(options.text('b'), cluster)
  for (const { address } of targets) {
    await admin.call(address, UpdateAndCreateSubscriptionGroupList, {}, { body })
    out.line(`submit batch of ${kind} config to ${address} success, please check the result later.`)
  }
  const groups = groupConfigList.map(({ groupName }) => groupName)
  out.data({ groups, brokers: targets.map(({ address }) => address) })
}
