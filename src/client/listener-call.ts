import { MessageProperty } from '../protocol/message-property.ts'
import type { Cluster } from './cluster.ts'
import type { MessageQueue } from './message-queue.ts'
import type { ReceivedMessage } from './received-message.ts'
import { ListenerEnd } from './trace-records.ts'
import { traceConsuming } from './traced-messages.ts'
import type { Traces } from './traces.ts'

/** What a listener is told beside the messages. */
export interface ConsumeContext {
  readonly queue: MessageQueue
  /** Which of the listeners that run at the same time this is, from 1. */
  readonly slot: number
}

/** Whose listener it is, and who hears of it. */
export interface ListenerTelling {
  readonly group: string
  /** Null: nothing is told. */
  readonly traces: Traces | null
}

/** A listener is about to be called: what it does and how it ends goes into properties, traces and reports. */
export function tellingListener(
  cluster: Cluster,
  { group, traces }: ListenerTelling,
  batch: readonly ReceivedMessage[],
) {
  const startTime = String(cluster.clock.now())
  for (const { stored } of batch) {
    stored.properties.set(MessageProperty.CONSUME_START_TIME, startTime)
  }
  const ended = traces === null ? () => {} : traceConsuming({ cluster, traces, group }, batch)
  const failed = (error: unknown) => {
    ended(ListenerEnd.EXCEPTION)
    const { topic, msgId } = batch[0]!
    const problem = `the listener failed on topic ${topic}, message ${msgId}`
    cluster.background.report(problem, error)
  }
  return { ended, failed }
}
