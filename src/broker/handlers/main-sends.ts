import { randomInt } from 'node:crypto'
import type { Call, Handlers } from '../../net/handlers.ts'
import { decodeProperties } from '../../protocol/message.ts'
import { encodeOffsetMessageId, UniqueIds } from '../../protocol/message-id.ts'
import { MessageProperty } from '../../protocol/message-property.ts'
import { SendMessage, SendMessageV2, type SendHeader } from '../../protocol/requests/send.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import type { BrokerStore } from '../broker-store.ts'
import { Dedup } from '../dedup.ts'
import type { Delivery } from '../delivery.ts'
import { sentDraft } from '../sent-draft.ts'
import { storedKeys } from '../stored-keys.ts'
import { RETRY_PREFIX } from '../topic-names.ts'
import { sendRetry } from './retry-sends.ts'

export interface MainSendParts {
  context: BrokerContext
  store: BrokerStore
  delivery: Delivery
  /** IP (4 or 16 bytes) and a 4-byte port. */
  storeHost: Uint8Array
}

interface SendParts extends MainSendParts {
  ids: UniqueIds
  dedup: Dedup
}

/**
 * The sends that network workers leave to main: those to retry topics, and those that may have to be
 * stored only once.
 */
export function registerMainSends(handlers: Handlers, parts: MainSendParts): Dedup {
  const address = parts.storeHost.subarray(0, -4)
  const ids = new UniqueIds({ address, pid: process.pid, hash: randomInt(2 ** 32) })
  const dedup = openDedup(parts)
  const all = { ...parts, ids, dedup }
  for (const spec of [SendMessage, SendMessageV2]) {
    handlers.on(spec, (header, call) =>
      header.topic.startsWith(RETRY_PREFIX)
        ? sendRetry(all, header, call)
        : sendOnce(all, header, call),
    )
  }
  return dedup
}

function openDedup({ context, store: stored, delivery }: MainSendParts): Dedup {
  const { config, topics, metadata, store, clock, log } = context
  const messageAt = (topic: string, queueId: number, offset: number) =>
    stored.messageAt(topic, queueId, offset)
  return new Dedup({
    messages: delivery.messages,
    topic: (name) => topics.get(name),
    storedSince: storedKeys({ store, messageAt, shared: stored.shared, metadata, clock }),
    max: config.dedupEntriesMax,
    clock,
    log,
  })
}

/** The worker has checked the request and the topic. What is answered may be an earlier message. */
async function sendOnce(parts: SendParts, header: SendHeader, call: Call) {
  const { context, dedup, storeHost } = parts
  const properties = decodeProperties(header.properties ?? '')
  const draft = sentDraft(parts, { header, properties }, call)
  draft.queueId = queueOf(context, header)
  const stored = await dedup.store(draft, properties.get(MessageProperty.UNIQ_KEY)!)
  const msgId = encodeOffsetMessageId({ storeHost, position: stored.position })
  const { regionId: region, traceOn } = context.config
  const { queueId, queueOffset } = stored
  return { header: { msgId, queueId, queueOffset, region, traceOn } }
}

/** Throws TOPIC_NOT_EXIST: it was deleted meanwhile. */
function queueOf({ topics }: BrokerContext, { topic, queueId }: SendHeader): number {
  const config = topics.get(topic)
  if (config === undefined) throw new ResponseError('TOPIC_NOT_EXIST', `topic[${topic}] not exist`)
  return queueId < 0 ? randomInt(Math.max(1, config.writeQueueNums)) : queueId
}
