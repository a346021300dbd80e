/** Which traces there are (Apache 5.3.3: SendMessageTraceHookImpl, ConsumeMessageTraceHookImpl, EndTransactionTraceHookImpl). */
import { MessageProperty } from '../protocol/message-property.ts'
import type { Cluster } from './cluster.ts'
import { nextMessageId } from './message-ids.ts'
import type { ReceivedMessage } from './received-message.ts'
import type { StoredParcel } from './send.ts'
import {
  consumed,
  consuming,
  ended,
  type Ended,
  type ListenerEnd,
  published,
  TracedType,
} from './trace-records.ts'
import type { Traces } from './traces.ts'

const DEFAULT_REGION = 'DefaultRegion'
const { DELAY, KEYS, MSG_REGION, START_DELIVER_TIME, TAGS, TRACE_ON, TRAN_MSG } = MessageProperty

interface Tracing {
  readonly cluster: Cluster
  readonly traces: Traces
  readonly group: string
}

type EndedTransaction = Pick<
  Ended,
  'topic' | 'msgId' | 'storeHost' | 'transactionId' | 'state' | 'isCheck'
> & { readonly properties: ReadonlyMap<string, string> }

/** A message was stored. */
export function tracePublished({ cluster, traces, group }: Tracing, stored: StoredParcel): void {
  const { parcel, result, reply, startedAt } = stored
  if (reply.traceOn === false) return
  const { topic, properties, body } = parcel
  const facts = {
    startedAt,
    costMs: cluster.clock.now() - startedAt,
    region: reply.region || DEFAULT_REGION,
    group,
    topic,
    msgId: result.msgId,
    tags: properties.get(TAGS),
    keys: properties.get(KEYS),
    bodyLength: body.length,
    type: typeOf(properties),
    offsetMsgId: result.offsetMsgId,
    isSuccess: result.status === 'SEND_OK',
  }
  traces.add({
    topic,
    write: async () => published({ ...facts, storeHost: await cluster.addressOf(result.queue) }),
  })
}

function typeOf(properties: ReadonlyMap<string, string>): number {
  if (properties.has(DELAY) || properties.has(START_DELIVER_TIME)) return TracedType.DELAY
  return properties.get(TRAN_MSG) === 'true' ? TracedType.TRANSACTION : TracedType.NORMAL
}

/** The broker was told the end of a transaction. */
export function traceEnded(
  { cluster, traces, group }: Tracing,
  { properties, ...of }: EndedTransaction,
): void {
  const facts = {
    ...of,
    endedAt: cluster.clock.now(),
    region: properties.get(MSG_REGION) || DEFAULT_REGION,
    group,
    tags: properties.get(TAGS),
    keys: properties.get(KEYS),
  }
  traces.add({ topic: of.topic, write: async () => ended(facts) })
}

/** A listener is called with these; what is returned is told how that ended. */
export function traceConsuming(
  { cluster, traces, group }: Tracing,
  messages: readonly ReceivedMessage[],
): (end: ListenerEnd) => void {
  const traced = messages.filter(({ properties }) => properties.get(TRACE_ON) !== 'false')
  const [first] = traced
  if (first === undefined) return () => {}
  const startedAt = cluster.clock.now()
  const { topic } = first
  const of = {
    startedAt,
    region: traced.at(-1)!.properties.get(MSG_REGION) ?? DEFAULT_REGION,
    group,
    requestId: nextMessageId(startedAt),
    messages: traced.map(({ msgId, properties, reconsumeTimes }) => ({
      msgId,
      keys: properties.get(KEYS),
      reconsumeTimes,
    })),
  }
  traces.add({ topic, write: async () => consuming(of) })
  return (end) => {
    const now = cluster.clock.now()
    traces.add({ topic, write: async () => consumed(of, end, now) })
  }
}
