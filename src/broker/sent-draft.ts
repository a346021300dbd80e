import type { Call } from '../net/handlers.ts'
import { encodeProperties } from '../protocol/message.ts'
import type { UniqueIds } from '../protocol/message-id.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import type { SendHeader } from '../protocol/requests/send.ts'
import type { BrokerContext } from './broker-context.ts'
import { bornHostOf, type MessageDraft } from './message-draft.ts'

/** A message as a client sent it, with the properties that the broker adds; those given are changed. */
export function sentDraft(
  { context, ids }: { context: BrokerContext; ids: UniqueIds },
  { header, properties }: { header: SendHeader; properties: Map<string, string> },
  { request, peer }: Call,
): MessageDraft {
  const { UNIQ_KEY, MSG_REGION, TRACE_ON, CLUSTER, POP_CK } = MessageProperty
  const { regionId, traceOn, brokerClusterName } = context.config
  properties.delete(POP_CK)
  if (!properties.has(UNIQ_KEY)) properties.set(UNIQ_KEY, ids.next(context.clock.now()))
  properties.set(MSG_REGION, regionId).set(TRACE_ON, String(traceOn))
  properties.set(CLUSTER, brokerClusterName)
  return {
    topic: header.topic,
    queueId: header.queueId,
    flag: header.flag,
    sysFlag: header.sysFlag,
    bornTimestamp: header.bornTimestamp,
    bornHost: bornHostOf(peer),
    reconsumeTimes: header.reconsumeTimes,
    preparedTransactionOffset: 0,
    properties: Buffer.from(encodeProperties(properties)),
    body: request.body ?? new Uint8Array(0),
  }
}
