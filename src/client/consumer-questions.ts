import { Handlers } from '../net/handlers.ts'
import { ResetOffsetBody } from '../protocol/bodies/consumer-offset.ts'
import { ConsumerRunningInfo, ConsumerStatus } from '../protocol/bodies/running-info.ts'
import {
  GetConsumerRunningInfo,
  GetConsumerStatusFromClient,
  NotifyConsumerIdsChanged,
} from '../protocol/requests/client.ts'
import { ResetConsumerClientOffset } from '../protocol/requests/offset.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { PushConsuming } from './push-consuming.ts'

/** Whom brokers ask, and tell. */
export interface AskedConsumer {
  readonly group: string
  /** Null before the start. */
  consuming(): PushConsuming | null
  info(): ConsumerRunningInfo
}

/** What brokers want of a consumer: to share queues out anew, and what administrators ask for. */
export function consumerHandlers(consumer: AskedConsumer): Handlers {
  return new Handlers()
    .on(NotifyConsumerIdsChanged, ({ consumerGroup }) => {
      if (consumerGroup === consumer.group) consumer.consuming()?.rebalance()
    })
    .on(GetConsumerRunningInfo, ({ consumerGroup }) => {
      checkGroup(consumer, consumerGroup)
      return { body: ConsumerRunningInfo.encode(consumer.info()) }
    })
    .on(GetConsumerStatusFromClient, ({ group, topic }) => {
      checkGroup(consumer, group)
      const states = consumer.consuming()?.readers.states ?? []
      const own = states.filter(({ queue }) => queue.topic === topic)
      const messageQueueTable: ConsumerStatus['messageQueueTable'] = own.map(
        ({ queue, committable }) => [{ ...queue }, committable],
      )
      return { body: ConsumerStatus.encode({ consumerTable: new Map(), messageQueueTable }) }
    })
    .on(ResetConsumerClientOffset, async ({ group }, { request }) => {
      if (group !== consumer.group) return
      const { offsetTable } = ResetOffsetBody.decode(request.body)
      const readers = consumer.consuming()?.readers
      for (const [queue, offset] of offsetTable) await readers?.moveTo(queue, offset)
    })
}

function checkGroup({ group }: AskedConsumer, asked: string): void {
  if (asked === group) return
  const why = `The Consumer Group <${asked}> not exist in this consumer`
  throw new ResponseError('SYSTEM_ERROR', why)
}
