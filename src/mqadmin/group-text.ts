import type { SubscriptionGroupConfig } from '../protocol/bodies/subscription-group.ts'

/** The settings of a group in the order and the words that Apache 5.3.3 prints them with. */
export function groupFields(group: SubscriptionGroupConfig): [string, string][] {
  const { groupRetryPolicy, subscriptionDataSet, attributes } = group
  const fields: [string, unknown][] = [
    ['groupName', group.groupName],
    ['consumeEnable', group.consumeEnable],
    ['consumeFromMinEnable', group.consumeFromMinEnable],
    ['consumeBroadcastEnable', group.consumeBroadcastEnable],
    ['consumeMessageOrderly', group.consumeMessageOrderly],
    ['retryQueueNums', group.retryQueueNums],
    ['retryMaxTimes', group.retryMaxTimes],
    ['groupRetryPolicy', policyText(groupRetryPolicy)],
    ['brokerId', group.brokerId],
    ['whichBrokerWhenConsumeSlowly', group.whichBrokerWhenConsumeSlowly],
    ['notifyConsumerIdsChangedEnable', group.notifyConsumerIdsChangedEnable],
    ['groupSysFlag', group.groupSysFlag],
    ['consumeTimeoutMinute', group.consumeTimeoutMinute],
    ['subscriptionDataSet', subscriptionDataSet === undefined ? null : subscriptionsText(group)],
    ['attributes', `{${[...attributes].map((pair) => pair.join('=')).join(', ')}}`],
  ]
  return fields.map(([name, value]) => [name, String(value)])
}

/** `SubscriptionGroupConfig{groupName=G, …}` */
export function groupText(group: SubscriptionGroupConfig): string {
  const words = groupFields(group).map((pair) => pair.join('='))
  return `SubscriptionGroupConfig{${words.join(', ')}}`
}

function policyText({
  type,
  exponentialRetryPolicy: exponential,
  customizedRetryPolicy: customized,
}: SubscriptionGroupConfig['groupRetryPolicy']): string {
  const rising = exponential
    ? `ExponentialRetryPolicy{initial=${exponential.initial}, max=${exponential.max}, multiplier=${exponential.multiplier}}`
    : null
  const listed = customized ? `CustomizedRetryPolicy{next=[${customized.next.join(', ')}]}` : null
  return `GroupRetryPolicy{type=${type}, exponentialRetryPolicy=${rising}, customizedRetryPolicy=${listed}}`
}

function subscriptionsText({ subscriptionDataSet = [] }: SubscriptionGroupConfig): string {
  const texts = subscriptionDataSet.map(
    ({ topic, expressionType, expression, version }) =>
      `SimpleSubscriptionData{topic='${topic}', expressionType='${expressionType}', expression='${expression}', version=${version}}`,
  )
  return `[${texts.join(', ')}]`
}
