import { SubscriptionGroupConfig, SubscriptionGroupWrapper } from '../bodies/subscription-group.ts'
import { bool, orElse, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

export const UpdateAndCreateSubscriptionGroup = request(
  RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
  {
    doc: 'Create a consumer group on this broker, or change it. The group is in the body.',
    body: SubscriptionGroupConfig,
    header: {},
    reply: {},
    fails: ['INVALID_PARAMETER'],
  },
)

export const GetAllSubscriptionGroupConfig = request(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, {
  doc: 'Every consumer group of this broker, in the body of the reply.',
  replyBody: SubscriptionGroupWrapper,
  header: {},
  reply: {},
  fails: [],
})

export const DeleteSubscriptionGroup = request(RequestCode.DELETE_SUBSCRIPTIONGROUP, {
  doc: 'Delete a consumer group, and its committed offsets on demand.',
  header: { groupName: text('groupName'), cleanOffset: orElse(bool('cleanOffset'), false) },
  reply: {},
  fails: [],
})
