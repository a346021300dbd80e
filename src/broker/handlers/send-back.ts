import { randomInt } from 'node:crypto'
import type { Handlers } from '../../net/handlers.ts'
import type { SubscriptionGroupConfig } from '../../protocol/bodies/subscription-group.ts'
import {
  decodeMessage,
  encodeProperties,
  MessageError,
  type StoredMessage,
} from '../../protocol/message.ts'
import { encodeOffsetMessageId } from '../../protocol/message-id.ts'
import { MessageProperty } from '../../protocol/message-property.ts'
import type { HeaderOf } from '../../protocol/request.ts'
import { ConsumerSendMsgBack } from '../../protocol/requests/retry.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import type { Delivery } from '../delivery.ts'
import { draftOf, parkDelayed } from '../message-draft.ts'
import { checkWritable } from '../send-refusals.ts'
import { shown } from '../topic-names.ts'

type SendBack = HeaderOf<typeof ConsumerSendMsgBack>

/** The first retry waits for level 3, 10 s; each further one a level longer (Apache 5.3.3). */
const FIRST_LEVEL = 3

/** Messages that a consumer could not handle: later again, and at last to the dead letters. */
export function registerSendBackHandler(
  handlers: Handlers,
  context: BrokerContext,
  delivery: Delivery,
): void {
  handlers.on(ConsumerSendMsgBack, async (header) => {
    const group = await knownGroup(context, header.group)
    checkWritable(context.config)
    if (group.retryQueueNums <= 0) return
    const message = await messageAt(delivery, header.offset)
    const properties = retryProperties(message)
    const max = header.maxReconsumeTimes ?? group.retryMaxTimes
    const isDead = message.reconsumeTimes >= max || header.delayLevel < 0
    const level = isDead ? 0 : header.delayLevel || FIRST_LEVEL + message.reconsumeTimes
    properties.set(MessageProperty.DELAY, String(level))
    const topic = isDead
      ? await delivery.deadLetterTopic(header.group)
      : await delivery.retryTopic(group)
    const place = { topic: topic.topicName, queueId: randomInt(topic.writeQueueNums) }
    const draft = draftOf(message, place, Buffer.from(encodeProperties(properties)))
    draft.reconsumeTimes++
    await delivery.messages.append(parkDelayed(draft, context.config, context.clock.now()))
  })
}

/** Throws ResponseError when there is none and none may be made. */
export async function knownGroup(
  { groups }: BrokerContext,
  name: string,
): Promise<SubscriptionGroupConfig> {
  const group = await groups.findOrCreate(name)
  if (group !== null) return group
  const remark = `subscription group not exist, ${shown(name)}`
  throw new ResponseError('SUBSCRIPTION_GROUP_NOT_EXIST', remark)
}

async function messageAt(delivery: Delivery, offset: SendBack['offset']): Promise<StoredMessage> {
  const bytes = await delivery.messageAt(offset)
  try {
    if (bytes !== null) return decodeMessage(bytes)
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
  }
  throw new ResponseError('SYSTEM_ERROR', `look message by offset failed, ${offset}`)
}

function retryProperties(message: StoredMessage): Map<string, string> {
  const properties = new Map(message.properties)
  const { RETRY_TOPIC, ORIGIN_MESSAGE_ID, WAIT } = MessageProperty
  if (!properties.has(RETRY_TOPIC)) properties.set(RETRY_TOPIC, message.topic)
  if (!properties.has(ORIGIN_MESSAGE_ID)) {
    const { storeHost, position } = message
    properties.set(ORIGIN_MESSAGE_ID, encodeOffsetMessageId({ storeHost, position }))
  }
  return properties.set(WAIT, 'false')
}
