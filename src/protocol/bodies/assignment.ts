import { body, list, oneOf, optional, orElse, record, text, textMap } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'
import { MessageQueue } from './message-queue.ts'

/** Asks which queues of a topic a consumer is to read. */
export const AssignmentBody = body(
  'QueryAssignmentRequestBody',
  record({
    clientId: text,
    consumerGroup: text,
    messageModel: orElse(oneOf('BROADCASTING', 'CLUSTERING'), 'CLUSTERING'),
    strategyName: orElse(text, 'AVG'),
    topic: text,
  }),
)
export type AssignmentBody = BodyOf<typeof AssignmentBody>

/** Queue -1 stands for all queues of its broker. */
const MessageQueueAssignment = record({
  attachments: optional(textMap(text)),
  messageQueue: MessageQueue,
  mode: orElse(oneOf('PULL', 'POP'), 'PULL'),
})

/** No list at all: the consumer keeps what it has. */
export const AssignmentReply = body(
  'QueryAssignmentResponseBody',
  record({ messageQueueAssignments: optional(list(MessageQueueAssignment)) }),
)
export type AssignmentReply = BodyOf<typeof AssignmentReply>
