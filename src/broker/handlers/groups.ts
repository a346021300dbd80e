import type { Handlers } from '../../net/handlers.ts'
import {
  SubscriptionGroupConfig,
  SubscriptionGroupList,
  SubscriptionGroupWrapper,
} from '../../protocol/bodies/subscription-group.ts'
import {
  DeleteSubscriptionGroup,
  GetAllSubscriptionGroupConfig,
  GetSubscriptionGroupConfig,
  UpdateAndCreateSubscriptionGroup,
  UpdateAndCreateSubscriptionGroupList,
} from '../../protocol/requests/group.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import { groupNameFault, shown } from '../topic-names.ts'
import { decodeBody } from './body.ts'

/** A group has one retry queue as a rule; each is a queue like any other. */
const RETRY_QUEUES_MAX = 1024

export function registerGroupHandlers(handlers: Handlers, context: BrokerContext): void {
  const { groups, offsets, resets, locks, clients, modes } = context
  handlers
    .on(UpdateAndCreateSubscriptionGroup, async (_, { request }) => {
      const group = decodeBody(SubscriptionGroupConfig, request.body)
      checkGroup(group)
      await groups.put(group)
      clients.forgetBeats()
    })
    .on(UpdateAndCreateSubscriptionGroupList, async (_, { request }) => {
      const { groupConfigList } = decodeBody(SubscriptionGroupList, request.body)
      groupConfigList.forEach(checkGroup)
      for (const group of groupConfigList) await groups.put(group)
      clients.forgetBeats()
    })
    .on(GetSubscriptionGroupConfig, ({ group }) => {
      const config = groups.get(group)
      if (config !== undefined) return { body: SubscriptionGroupConfig.encode(config) }
      const why = `No group in this broker. group: ${shown(group)}`
      throw new ResponseError('SUBSCRIPTION_GROUP_NOT_EXIST', why)
    })
    .on(GetAllSubscriptionGroupConfig, () => ({
      body: SubscriptionGroupWrapper.encode({
        dataVersion: groups.dataVersion,
        forbiddenTable: new Map(),
        subscriptionGroupTable: new Map(groups.all),
      }),
    }))
    .on(DeleteSubscriptionGroup, async ({ groupName, cleanOffset }) => {
      await groups.delete(groupName)
      locks.removeGroup(groupName)
      resets.removeGroup(groupName)
      await modes.removeGroup(groupName)
      clients.forgetBeats() // consumers that live on bring the group back, as with Apache's broker
      if (cleanOffset) offsets.removeGroup(groupName)
    })
}

/** Apache's broker takes any name here, and then refuses the consumers of that group. */
function checkGroup(group: SubscriptionGroupConfig): void {
  const fault = groupNameFault(group.groupName)
  if (fault !== null) throw new ResponseError('INVALID_PARAMETER', fault)
  checkCount('retryQueueNums', group.retryQueueNums, RETRY_QUEUES_MAX)
  if (group.attributes.size === 0) return
  const names = [...group.attributes.keys()].join(', ')
  throw new ResponseError('INVALID_PARAMETER', `attributes: ${names}: a group has none in 5.3.3`)
}

function checkCount(name: string, value: number, max: number): void {
  if (value >= 0 && value <= max) return
  throw new ResponseError('INVALID_PARAMETER', `${name} is ${value}, it must be from 0 to ${max}`)
}
