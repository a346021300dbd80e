import { allocateInBlocks, type Allocation } from './allocation.ts'
import type { ClusterOptions } from './cluster.ts'
import { backlogDefaults, type BacklogLimits } from './queue-backlog.ts'
import type { ConsumeFrom } from './start-offset.ts'
import type { TraceOptions } from './traces.ts'

export interface PushConsumerOptions extends ClusterOptions, TraceOptions {
  readonly group: string
  /**
   * CLUSTERING: each message goes to one member of the group. BROADCASTING: to each of them; what fails does not come
   * again, and how far a member has come is kept in a file here. Default: CLUSTERING.
   */
  readonly messageModel?: 'CLUSTERING' | 'BROADCASTING'
  /** Default: CONSUME_FROM_LAST_OFFSET. */
  readonly consumeFrom?: ConsumeFrom
  /** Listeners that run at the same time. Default: 20. */
  readonly concurrency?: number
  /** Messages per call of the listener. Default: 1. */
  readonly consumeBatchMax?: number
  /** Messages per pull. Default: 32, which is also the most that brokers give. */
  readonly pullBatchMax?: number
  /**
   * How often a message is delivered again before it becomes a dead letter. Default: 16; of a consumer in order: for
   * ever.
   */
  readonly maxReconsumeTimes?: number
  /** How long a queue that is consumed in order stands still after a failure: 10 ms to 30 s. Default: 1 s. */
  readonly suspendMs?: number
  /**
   * Whether the members share the queues out among themselves. With `false` the brokers do, and say of each topic
   * whether it is pulled or popped (`setRequestMode`, `mqadmin setConsumeMode`). Only CLUSTERING, and not in order.
   * Default: true.
   */
  readonly clientRebalance?: boolean
  /** How long a popped message is this client's alone: 5 s to 5 min. Default: 60 s. */
  readonly popInvisibleMs?: number
  /** Messages per pop. Default: 32, which is also the most that brokers give. */
  readonly popBatchMax?: number
  /** Messages of one queue that may wait for their listener before no more are popped. Default: 96. */
  readonly popWaitingMax?: number
  /** Must be the same in all members of the group. Default: in blocks, as every client does. */
  readonly allocate?: Allocation
  readonly limits?: Partial<BacklogLimits>
  /** Of a broadcast consumer: the folder of its file. Default: `.rocketmq_offsets` in the home of the user. */
  readonly offsetFolder?: string
  /** How long `close` waits for listeners that run. Default: 10 s. */
  readonly closeTimeoutMs?: number
}

export const CONCURRENCY = 20

export type PushSettings = ReturnType<typeof settingsOf>

/** The options with their defaults, but for what depends on the kind of the listener. */
export function settingsOf(options: PushConsumerOptions) {
  return {
    messageModel: 'CLUSTERING' as const,
    consumeFrom: 'CONSUME_FROM_LAST_OFFSET' as const,
    concurrency: CONCURRENCY,
    consumeBatchMax: 1,
    pullBatchMax: 32,
    suspendMs: 1000,
    clientRebalance: true,
    popInvisibleMs: 60_000,
    popBatchMax: 32,
    popWaitingMax: 96,
    allocate: allocateInBlocks,
    closeTimeoutMs: 10_000,
    ...instanceOf(options),
    ...definedOf(options),
    limits: { ...backlogDefaults, ...options.limits },
  }
}

/** Of a broadcast consumer the same after a restart, or it would not find its file (Apache 5.3.3, DefaultMQPushConsumerImpl). */
function instanceOf({ messageModel }: PushConsumerOptions): { instanceName?: string } {
  return messageModel === 'BROADCASTING' ? { instanceName: 'DEFAULT' } : {}
}

/** `undefined` is as good as absent. */
function definedOf(options: PushConsumerOptions): PushConsumerOptions {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as unknown as PushConsumerOptions
}
