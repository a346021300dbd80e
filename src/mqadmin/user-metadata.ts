import {
  type SubscriptionGroupConfig,
  SubscriptionGroupWrapper,
} from '../protocol/bodies/subscription-group.ts'
import { type TopicConfig, TopicConfigWrapper } from '../protocol/bodies/topic-config.ts'
import { TopicList } from '../protocol/bodies/topic-list.ts'
import { GetAllSubscriptionGroupConfig } from '../protocol/requests/group.ts'
import { GetAllTopicConfig, GetSystemTopicListFromBroker } from '../protocol/requests/topic.ts'
import type { Admin } from './admin.ts'
import { AdminError } from './command.ts'

/** Of every broker, whether anybody uses them or not (Apache 5.3.3, MixAll). */
const SYSTEM_GROUPS: ReadonlySet<string> = new Set([
  'TOOLS_CONSUMER',
  'SCHEDULE_CONSUMER',
  'FILTERSRV_CONSUMER',
  '__MONITOR_CONSUMER',
  'SELF_TEST_C_GROUP',
  'CID_ONS-HTTP-PROXY',
  'CID_ONSAPI_PULL',
  'CID_ONSAPI_PERMISSION',
  'CID_ONSAPI_OWNER',
])

/** The topics of a broker that are for applications; `isSpecial`: with those of retries and dead letters. */
export async function userTopics(
  admin: Admin,
  address: string,
  isSpecial: boolean,
): Promise<TopicConfigWrapper> {
  const { body } = await admin.call(address, GetAllTopicConfig, {})
  const all = TopicConfigWrapper.decode(body)
  const list = await admin.call(address, GetSystemTopicListFromBroker, {})
  const system = new Set(TopicList.decode(list.body).topicList)
  const kept = [...all.topicConfigTable].filter(
    ([topic]) => !system.has(topic) && (isSpecial || !/^%(RETRY|DLQ)%/.test(topic)),
  )
  return { ...all, topicConfigTable: new Map<string, TopicConfig>(kept) }
}

/** Throws AdminError when none of the brokers has the group. Asks for all of them: to ask for one makes it, with Apache's. */
export async function checkGroup(
  admin: Admin,
  group: string,
  addresses: readonly string[],
): Promise<void> {
  for (const address of addresses) {
    const { body } = await admin.call(address, GetAllSubscriptionGroupConfig, {})
    if (SubscriptionGroupWrapper.decode(body).subscriptionGroupTable.has(group)) return
  }
  throw new AdminError(
    `there is no group ${group} on ${addresses.join(', ')}: updateSubGroup makes one`,
  )
}

/** The groups of a broker that are an application's. */
export async function userGroups(admin: Admin, address: string): Promise<SubscriptionGroupWrapper> {
  const { body } = await admin.call(address, GetAllSubscriptionGroupConfig, {})
  const all = SubscriptionGroupWrapper.decode(body)
  const kept = [...all.subscriptionGroupTable].filter(
    ([group]) => !SYSTEM_GROUPS.has(group) && !group.startsWith('CID_RMQ_SYS_'),
  )
  return { ...all, subscriptionGroupTable: new Map<string, SubscriptionGroupConfig>(kept) }
}
