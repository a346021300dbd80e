import { ResponseError } from '../protocol/response-error.ts'
import type { Ask } from './asks.ts'
import type { BrokerContext } from './broker-context.ts'
import { groupNameFault, shown } from './topic-names.ts'

/** Makes what a send or a pull lacks, when the configuration allows it. Rejects with ResponseError. */
export async function makeAsked(ask: Ask, { topics, groups }: BrokerContext): Promise<void> {
  if (ask.kind === 'light') return topics.light.ensure(ask.topics)
  if (ask.kind === 'topic') {
    const { topic, defaultTopic: template, queueNums: queueCount } = ask
    await topics.createOnSend({ topic, template, queueCount, topicSysFlag: 0 })
    return
  }
  if ((await groups.findOrCreate(ask.group)) !== null) return
  const why = groupNameFault(ask.group) ?? 'autoCreateSubscriptionGroup does not make it.'
  throw new ResponseError(
    'SUBSCRIPTION_GROUP_NOT_EXIST',
    `subscription group [${shown(ask.group)}] does not exist: ${why}`,
  )
}
