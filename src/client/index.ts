/** The client, and all of it that programs may rely on. */
export type { Report } from './background.ts'
export { allocateInBlocks, allocateInCircle, type Allocation } from './allocation.ts'
export { ClientError } from './client-error.ts'
export type { ClusterOptions } from './cluster.ts'
export type { ConsumeOutcome, MessageListener } from './delivery.ts'
export type { GroupOffsets } from './group-offsets.ts'
export type { ConsumeContext } from './listener-call.ts'
export { formatMessage, formatSendResult } from './java-text.ts'
export type { MessageQueue } from './message-queue.ts'
export type { Message } from './message.ts'
export type { OrderlyListener, OrderlyOutcome } from './orderly-delivery.ts'
export type { PoppedMessage } from './pop.ts'
export { PopConsumer, type PopConsumerOptions, type PopListener } from './pop-consumer.ts'
export {
  Producer,
  type ProducerOptions,
  type RecallOptions,
  type SendOptions,
  type TransactionOptions,
} from './producer.ts'
export type { PullResult, PullStatus } from './pull.ts'
export { PullConsumer, type PullConsumerOptions, type PullOptions } from './pull-consumer.ts'
export { PushConsumer } from './push-consumer.ts'
export type { PushConsumerOptions } from './push-options.ts'
export type { BacklogLimits } from './queue-backlog.ts'
export type { ReceivedMessage } from './received-message.ts'
export type { SendResult, SendStatus } from './send-result.ts'
export type { ConsumeFrom } from './start-offset.ts'
export type { FilterExpression } from './subscription.ts'
export type { TraceOptions } from './traces.ts'
export type {
  LocalTransaction,
  TransactionCheck,
  TransactionResult,
  TransactionState,
} from './transactions.ts'
export { ConnectionError, TimeoutError } from '../net/remoting-error.ts'
export { ResponseError } from '../protocol/response-error.ts'
