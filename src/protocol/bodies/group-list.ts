import { body, list, optional, orElse, record, text } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'
import { SubscriptionData } from './heartbeat.ts'

/** Names of consumer groups. */
export const GroupList = body('GroupList', record({ groupList: orElse(list(text), []) }))
export type GroupList = BodyOf<typeof GroupList>

/** What a group wants of a topic; without `subscriptionData` nothing. */
export const GroupSubscription = body(
  'QuerySubscriptionResponseBody',
  record({ group: text, subscriptionData: optional(SubscriptionData), topic: text }),
)
export type GroupSubscription = BodyOf<typeof GroupSubscription>
