import { RequestModeBody } from '../bodies/request-mode.ts'
import {
  SubscriptionGroupConfig,
  SubscriptionGroupList,
  SubscriptionGroupWrapper,
} from '../bodies/subscription-group.ts'
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

export const UpdateAndCreateSubscriptionGroupList = request(
  RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST,
  {
    doc: 'Create many consumer groups on this broker, or change them. All of them or, when one is wrong, none.',
    body: SubscriptionGroupList,
    header: {},
    reply: {},
    fails: ['INVALID_PARAMETER'],
  },
)

export const GetSubscriptionGroupConfig = request(RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, {
  doc: 'One consumer group of this broker, in the body of the reply.',
  replyBody: SubscriptionGroupConfig,
  header: { group: text('group') },
  reply: {},
  fails: ['SUBSCRIPTION_GROUP_NOT_EXIST'],
})

export const SetMessageRequestMode = request(RequestCode.SET_MESSAGE_REQUEST_MODE, {
  doc: 'Let a group consume a topic by PULL or POP.',
  body: RequestModeBody,
  header: {},
  reply: {},
  fails: [],
})
