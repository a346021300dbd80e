import type { Handlers, Peer } from '../../net/handlers.ts'
import { encodeProperties } from '../../protocol/message.ts'
import { MessageProperty } from '../../protocol/message-property.ts'
import { decodeRecallHandle, type RecallHandle } from '../../protocol/recall-handle.ts'
import type { HeaderOf } from '../../protocol/request.ts'
import {
  GetTimerCheckPoint,
  GetTimerMetrics,
  RecallMessage,
} from '../../protocol/requests/timer.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import type { Delivery } from '../delivery.ts'
import { bornHostOf, type MessageDraft, parkDelayed } from '../message-draft.ts'
import { Permission } from '../system-topics.ts'
import { deleteKey } from '../timer-message.ts'
import type { Timers } from '../timers.ts'
import { shown } from '../topic-names.ts'

type Recall = HeaderOf<typeof RecallMessage>

const RECALL_TAG = '_RECALL_TAG_'
/** A name with it would bring properties of its own. */
const PAIR_END = '\u0002'
const BODY = Buffer.from('0')

/** Recalls of timed messages, and what slaves and tools ask of the timer wheel. */
export function registerTimerHandlers(
  handlers: Handlers,
  context: BrokerContext,
  delivery: Delivery,
): void {
  handlers
    .on(RecallMessage, async (header, { peer }) => {
      checkAllowed(context, header)
      const handle = checkedHandle(context, header)
      const { config, clock } = context
      const draft = recallDraft(context, { header, handle, peer })
      const stored = await delivery.messages.append(parkDelayed(draft, config, clock.now()))
      // It had to wait for the disk meanwhile: the message may be on its way.
      if (stored.storeTimestamp >= handle.deliverMs) throw refused('the message is due already')
      return { header: { msgId: handle.messageId, region: config.regionId } }
    })
    .on(GetTimerCheckPoint, () => ({ body: known(delivery.timers).checkPoint }))
    .on(GetTimerMetrics, () => ({ body: Buffer.from(known(delivery.timers).metrics.toText()) }))
}

function known(timers: Timers | null): Timers {
  if (timers !== null) return timers
  throw new ResponseError('SYSTEM_ERROR', 'there is no timer wheel: timerWheelEnable is false')
}

function checkAllowed({ config, topics }: BrokerContext, { topic }: Recall): void {
  if (!config.recallMessageEnable) {
    const why = 'recall failed, operation is forbidden: recallMessageEnable is false'
    throw new ResponseError('NO_PERMISSION', why)
  }
  const isWritable = (config.brokerPermission & Permission.WRITE) !== 0
  if (!isWritable && !config.allowRecallWhenBrokerNotWriteable) {
    const why = `recall failed, broker service not available: brokerPermission is ${config.brokerPermission}`
    throw new ResponseError('SERVICE_NOT_AVAILABLE', why)
  }
  if (topics.get(topic) !== undefined) return
  throw new ResponseError('TOPIC_NOT_EXIST', `recall failed, the topic[${shown(topic)}] not exist`)
}

/** Rules of Apache 5.3.3, RecallMessageProcessor. */
function checkedHandle({ config, clock }: BrokerContext, header: Recall): RecallHandle {
  const handle = decodeRecallHandle(header.recallHandle)
  if (handle === null) throw refused('recall handle is invalid')
  if (handle.topic !== header.topic) {
    throw refused(`topic not match: the handle is of topic[${shown(handle.topic)}]`)
  }
  if (handle.brokerName !== config.brokerName) {
    throw refused(`the handle is of broker[${shown(handle.brokerName)}]`)
  }
  if (header.producerGroup?.includes(PAIR_END)) throw refused('producer group is invalid')
  const leftMs = handle.deliverMs - clock.now()
  if (leftMs > 0 && leftMs < config.timerMaxDelaySec * 1000) return handle
  const why = leftMs > 0 ? `further ahead than ${config.timerMaxDelaySec} s` : 'over'
  throw refused(`timestamp invalid: the time of the handle is ${why}`)
}

function refused(why: string): ResponseError {
  return new ResponseError('ILLEGAL_OPERATION', `recall failed, ${why}`)
}

/** A message that waits in the same slot, and takes the other one away. */
function recallDraft(
  { clock }: BrokerContext,
  { header, handle, peer }: { header: Recall; handle: RecallHandle; peer: Peer },
): MessageDraft {
  const { TAGS, UNIQ_KEY, TIMER_DEL_UNIQKEY, TIMER_DELIVER_MS, BORN_TIMESTAMP, PGROUP } =
    MessageProperty
  const { topic, messageId, deliverMs } = handle
  const now = clock.now()
  const properties: [string, string][] = [
    [TAGS, RECALL_TAG],
    [TIMER_DEL_UNIQKEY, deleteKey(topic, messageId)],
    [UNIQ_KEY, messageId],
    [TIMER_DELIVER_MS, String(deliverMs)],
    [BORN_TIMESTAMP, String(now)],
  ]
  if (header.producerGroup) properties.push([PGROUP, header.producerGroup])
  return {
    topic,
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: now,
    bornHost: bornHostOf(peer),
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    properties: Buffer.from(encodeProperties(properties)),
    body: BODY,
  }
}
