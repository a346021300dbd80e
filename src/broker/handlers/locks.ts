import type { Handlers } from '../../net/handlers.ts'
import {
  LockBatchBody,
  LockBatchReply,
  type MessageQueue,
} from '../../protocol/bodies/message-queue.ts'
import { LockBatchMq, UnlockBatchMq } from '../../protocol/requests/client.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import { decodeBody } from './body.ts'

/** Queues in one request. */
const QUEUES_MAX = 65_536

export function registerLockHandlers(handlers: Handlers, context: BrokerContext): void {
  const { locks } = context
  handlers
    .on(LockBatchMq, (_, { request }) => {
      const { consumerGroup, clientId, mqSet } = decodeLocks(request.body)
      const queues = mqSet.filter((queue) => isHere(context, queue))
      return {
        body: LockBatchReply.encode({ lockOKMQSet: locks.lock(consumerGroup, clientId, queues) }),
      }
    })
    .on(UnlockBatchMq, (_, { request }) => {
      const { consumerGroup, clientId, mqSet } = decodeLocks(request.body)
      locks.unlock(consumerGroup, clientId, mqSet)
    })
}

function decodeLocks(bytes: Uint8Array | null): LockBatchBody {
  const body = decodeBody(LockBatchBody, bytes)
  if (body.mqSet.length <= QUEUES_MAX) return body
  const remark = `${body.mqSet.length} queues: at most ${QUEUES_MAX} are allowed`
  throw new ResponseError('INVALID_PARAMETER', remark)
}

/** Locks on queues that are not there would stay for ever: nobody consumes them. */
function isHere({ topics }: BrokerContext, { topic, queueId }: MessageQueue): boolean {
  const config = topics.get(topic)
  if (config === undefined || queueId < 0) return false
  return queueId < Math.max(config.readQueueNums, config.writeQueueNums)
}
