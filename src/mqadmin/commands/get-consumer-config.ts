import { MASTER_ID } from '../../client/topic-route.ts'
import {
  type SubscriptionGroupConfig,
  SubscriptionGroupWrapper,
} from '../../protocol/bodies/subscription-group.ts'
import { GetAllSubscriptionGroupConfig } from '../../protocol/requests/group.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { groupFields } from '../group-text.ts'

const RULE = '='.repeat(29)

export const command: Command = {
  name: 'getConsumerConfig',
  doc: 'Show the settings of a consumer group on every broker.',
  options: [{ short: 'g', long: 'groupName', doc: 'consumer group', isRequired: true }],
  run: getConsumerConfig,
}

async function getConsumerConfig({ options, admin, out }: Call): Promise<void> {
  const group = options.needed('g')
  const found: { cluster: string; brokerName: string; config: SubscriptionGroupConfig }[] = []
  for (const { cluster, brokerName, brokerAddrs } of await admin.brokers()) {
    const address = brokerAddrs.get(MASTER_ID)
    if (address === undefined) continue
    const { body } = await admin.call(address, GetAllSubscriptionGroupConfig, {})
    const config = SubscriptionGroupWrapper.decode(body).subscriptionGroupTable.get(group)
    if (config !== undefined) found.push({ cluster, brokerName, config })
  }
  for (const { cluster, brokerName, config } of found) {
    out.line(`${RULE}${cluster}:${brokerName}${RULE}`)
    for (const [name, value] of groupFields(config)) {
      out.line('%-40s=  %s', name, value === 'null' ? '' : value)
    }
  }
  out.data(found)
  if (found.length > 0) return
  throw new AdminError(`no broker has a consumer group ${group}: updateSubGroup makes one`)
}
