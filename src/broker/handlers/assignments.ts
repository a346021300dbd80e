import type { Handlers } from '../../net/handlers.ts'
import { AssignmentBody, AssignmentReply } from '../../protocol/bodies/assignment.ts'
import type { MessageQueue } from '../../protocol/bodies/message-queue.ts'
import { RequestModeBody } from '../../protocol/bodies/request-mode.ts'
import { SetMessageRequestMode } from '../../protocol/requests/group.ts'
import { QueryAssignment } from '../../protocol/requests/pop.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import { sharedQueues, sortedQueues, STRATEGIES } from '../assignments.ts'
import type { BrokerContext } from '../broker-context.ts'
import { RETRY_PREFIX, shown } from '../topic-names.ts'
import { decodeBody } from './body.ts'

/** The queues of a topic on all brokers; null when nobody knows. */
export type QueuesOfCluster = (topic: string) => Promise<MessageQueue[] | null>

/** Which queues a consumer is to read, and how: for those that leave it to the broker (Apache 5.3.3, QueryAssignmentProcessor). */
export function registerAssignmentHandlers(
  handlers: Handlers,
  context: BrokerContext,
  queuesOf: QueuesOfCluster,
): void {
  handlers
    .on(QueryAssignment, async (_, { request }) => {
      const body = decodeBody(AssignmentBody, request.body)
      const mode = modeOf(context, body)
      const queues = await share(context, body, mode, queuesOf)
      const assignments = queues?.map((messageQueue) => ({ messageQueue, mode: mode.mode }))
      return { body: AssignmentReply.encode({ messageQueueAssignments: assignments }) }
    })
    .on(SetMessageRequestMode, async (_, { request }) => {
      const mode = decodeBody(RequestModeBody, request.body)
      checkMode(context, mode)
      await context.modes.set(mode)
    })
}

function modeOf({ modes, config }: BrokerContext, { topic, consumerGroup }: AssignmentBody) {
  const set = modes.get(topic, consumerGroup)
  if (set !== null) return set
  const isRetry = topic.startsWith(RETRY_PREFIX)
  const mode = isRetry ? 'PULL' : config.defaultMessageRequestMode
  return { topic, consumerGroup, mode, popShareQueueNum: config.defaultPopShareQueueNum }
}

/** Undefined: the consumer keeps what it has. */
async function share(
  { clients, config }: BrokerContext,
  { topic, consumerGroup, clientId, messageModel, strategyName }: AssignmentBody,
  { mode, popShareQueueNum }: RequestModeBody,
  queuesOf: QueuesOfCluster,
): Promise<MessageQueue[] | undefined> {
  const queues = await queuesOf(topic)
  if (queues === null) return undefined
  if (messageModel === 'BROADCASTING' || !config.serverLoadBalancerEnable) return queues
  const clientIds = clients.consumers(consumerGroup)?.clientIds().toSorted()
  const strategy = STRATEGIES.get(strategyName)
  if (clientIds === undefined || strategy === undefined) return undefined
  const asker = { clientId, clientIds }
  const sorted = sortedQueues(queues)
  if (mode === 'PULL') return strategy(asker, sorted)
  return sharedQueues(strategy, asker, sorted, popShareQueueNum)
}

function checkMode(
  { topics, groups }: BrokerContext,
  { topic, consumerGroup }: RequestModeBody,
): void {
  if (topic.startsWith(RETRY_PREFIX)) {
    throw new ResponseError('NO_PERMISSION', 'retry topic is not allowed to set mode')
  }
  if (topics.get(topic) === undefined) {
    throw new ResponseError('TOPIC_NOT_EXIST', `topic[${shown(topic)}] not exist`)
  }
  if (groups.get(consumerGroup) !== undefined) return
  const why = `subscription group ${shown(consumerGroup)} does not exist`
  throw new ResponseError('SUBSCRIPTION_GROUP_NOT_EXIST', why)
}
