import type { Call, Handlers } from '../../net/handlers.ts'
import {
  CheckClientBody,
  type ConsumerData,
  ConsumerList,
  HeartbeatData,
} from '../../protocol/bodies/heartbeat.ts'
import {
  CheckClientConfig,
  GetConsumerListByGroup,
  HeartBeat,
  UnregisterClient,
} from '../../protocol/requests/client.ts'
import { SqlError } from '../../filter/sql-error.ts'
import { SqlFilter } from '../../filter/sql-filter.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import type { BeatAnswer } from '../clients.ts'
import type { Disagreement } from '../subscription-agreement.ts'
import { GROUP_LENGTH_MAX, shown } from '../topic-names.ts'
import { decodeBody } from './body.ts'

/** Longest client id; Java's is `ip@process#nanoseconds`, up to about 60 characters. */
const CLIENT_ID_LENGTH_MAX = 1024
/** Groups of one client, and topics of one group. */
const GROUPS_MAX = 1024
const SUBSCRIPTIONS_MAX = 4096
/** A group that subscribes to a topic with this bit set is a unit's. */
const UNIT_SUBSCRIPTION_FLAG = 2

export function registerClientHandlers(handlers: Handlers, context: BrokerContext): void {
  const { clients } = context
  handlers
    .on(HeartBeat, async (_, call) => {
      const answer = await heartbeat(context, call)
      return { header: { supportsHeartbeatV2: true, ...answer } }
    })
    .on(UnregisterClient, async ({ producerGroup, consumerGroup }, { peer }) => {
      clients.unregister(peer, { producerGroup, consumerGroup })
      await context.metadata.applied()
      return { header: {} }
    })
    .on(GetConsumerListByGroup, ({ consumerGroup }) => {
      const consumerIdList = clients.consumers(consumerGroup)?.clientIds() ?? []
      if (consumerIdList.length > 0) {
        return { header: {}, body: ConsumerList.encode({ consumerIdList }) }
      }
      const remark = `no consumer for this group, ${shown(consumerGroup)}`
      throw new ResponseError('SYSTEM_ERROR', remark)
    })
    .on(CheckClientConfig, (_, { request }) => {
      checkExpression(context, decodeBody(CheckClientBody, request.body).subscriptionData)
    })
}

/** Whether pulls with this subscription would be served. */
function checkExpression(
  { config }: BrokerContext,
  { expressionType, subString }: { expressionType: string; subString: string },
): void {
  if (expressionType === 'TAG' || expressionType === '') return
  if (expressionType !== 'SQL92' || !config.enablePropertyFilter) {
    const remark = `The broker does not support consumer to filter message by ${shown(expressionType)}`
    throw new ResponseError('SYSTEM_ERROR', remark)
  }
  try {
    SqlFilter.of(subString)
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    throw new ResponseError('SUBSCRIPTION_PARSE_FAILED', error.message)
  }
}

async function heartbeat(context: BrokerContext, { request, peer }: Call): Promise<BeatAnswer> {
  const { clients, metadata } = context
  const session = clients.session(peer)
  const repeated = request.body === null ? null : clients.repeat(session, request.body)
  if (repeated !== null) return repeated
  const data = decodeBody(HeartbeatData, request.body)
  checkHeartbeat(data)
  const accepted = await acceptedConsumers(context, data)
  if (session.isClosed) return { subscriptionChanged: true } // it left while its groups were made
  const { language, version } = request
  const { taken, refusal } = agreeing(context, data, accepted)
  const answer = clients.register(
    { peer, clientId: data.clientID, language, version },
    {
      data: { ...data, consumerDataSet: taken },
      body: request.body!,
      isWhole: taken.length === data.consumerDataSet.length,
    },
  )
  await metadata.applied()
  if (refusal !== null) throw refusal
  return answer
}

/** With `strictSubscription` those that want something else than the members of their group are left out. */
function agreeing(
  { config, clients }: BrokerContext,
  { clientID, withoutSub }: HeartbeatData,
  accepted: ConsumerData[],
): { taken: ConsumerData[]; refusal: ResponseError | null } {
  if (!config.strictSubscription || withoutSub) return { taken: accepted, refusal: null }
  const refusals = accepted.map(({ groupName, subscriptionDataSet }) => {
    const against = clients.consumers(groupName)?.agreement.against(clientID, subscriptionDataSet)
    return against ? differs(groupName, against) : null
  })
  const taken = accepted.filter((_, index) => refusals[index] === null)
  return { taken, refusal: refusals.find((each) => each !== null) ?? null }
}

function differs(group: string, { one, other }: Disagreement): ResponseError {
  const why = `strictSubscription: all consumers of group ${shown(group)} must subscribe to the same`
  const difference = `this one wants ${other.wants}, ${one.clientId} wants ${one.wants}`
  return new ResponseError('INVALID_PARAMETER', `${why}; ${difference}`)
}

/** Those whose group exists or may be created. The others are passed over in silence, as Apache does. */
async function acceptedConsumers(
  context: BrokerContext,
  { consumerDataSet }: HeartbeatData,
): Promise<ConsumerData[]> {
  const isAccepted = await Promise.all(consumerDataSet.map((data) => accept(context, data)))
  return consumerDataSet.filter((_, index) => isAccepted[index])
}

/** Makes sure of the group and its retry topic. */
async function accept({ groups, topics }: BrokerContext, data: ConsumerData): Promise<boolean> {
  const group = await groups.findOrCreate(data.groupName)
  if (group === null) return false
  await topics.ensureRetryTopic({
    group: data.groupName,
    queueCount: group.retryQueueNums,
    order: data.subscriptionDataSet.some(({ topic }) => topics.get(topic)?.order === true),
    topicSysFlag: data.unitMode ? UNIT_SUBSCRIPTION_FLAG : 0,
  })
  return true
}

function checkHeartbeat({ clientID, consumerDataSet, producerDataSet }: HeartbeatData): void {
  checkCount('characters in clientID', clientID.length, CLIENT_ID_LENGTH_MAX)
  checkCount('consumer groups', consumerDataSet.length, GROUPS_MAX)
  checkCount('producer groups', producerDataSet.length, GROUPS_MAX)
  for (const { groupName } of producerDataSet) {
    checkCount('characters in a producer group', groupName.length, GROUP_LENGTH_MAX)
  }
  for (const { groupName, subscriptionDataSet } of consumerDataSet) {
    const what = `subscriptions of group ${shown(groupName)}`
    checkCount(what, subscriptionDataSet.length, SUBSCRIPTIONS_MAX)
  }
}

function checkCount(what: string, count: number, max: number): void {
  if (count <= max) return
  throw new ResponseError('INVALID_PARAMETER', `${count} ${what}: at most ${max} are allowed`)
}
