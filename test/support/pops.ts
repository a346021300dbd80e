/** Requests of POP consumers, with what a test does not care about filled in. */
import { messagesIn, type StoredMessage } from '../../src/protocol/message.ts'
import { retryFlagOf } from '../../src/protocol/pop-receipt.ts'
import { receiptText, type PopReceipt } from '../../src/protocol/pop-receipt.ts'
import { MessageProperty } from '../../src/protocol/message-property.ts'
import {
  AckMessage,
  InitMode,
  PopMessage,
  type PopHeader,
  type PopReply,
} from '../../src/protocol/requests/pop.ts'
import type { Answer, RawClient } from './raw-client.ts'

export const BROKER = 'broker-a'

export function popHeader(topic: string, changes: Partial<PopHeader> = {}): PopHeader {
  return {
    consumerGroup: 'consumers',
    topic,
    queueId: -1,
    maxMsgNums: 32,
    invisibleTime: 60_000,
    pollTime: 0,
    bornTime: 0,
    initMode: InitMode.MIN,
    order: false,
    ...changes,
  }
}

/** A message with the receipt that a client makes for it. */
export interface Popped {
  message: StoredMessage
  receipt: string
  /** Where it lies: acks name it. */
  topic: string
}

export interface PopAnswer extends Answer<Partial<PopReply>> {
  popped: Popped[]
}

export async function pop(
  client: RawClient,
  topic: string,
  changes: Partial<PopHeader> = {},
): Promise<PopAnswer> {
  const answer = await client.ask(PopMessage, popHeader(topic, changes))
  return { ...answer, popped: poppedOf(answer) }
}

/** As Java's client pairs messages with what the header says of their queues. */
export function poppedOf(answer: Answer<Partial<PopReply>>): Popped[] {
  const { body, reply } = answer
  if (answer.code !== 0 || body === null) return []
  const starts = new Map(
    reply.startOffsetInfo!.split(';').map((text) => {
      const [flag, queueId, offset] = text.split(' ')
      return [`${flag} ${queueId}`, Number(offset)]
    }),
  )
  return Array.from(messagesIn(body), (message) => {
    const own = message.properties.get(MessageProperty.POP_CK)
    const retryFlag = own === undefined ? retryFlagOf(message.topic) : own.split(' ')[4]!
    const receipt = own ?? receiptText(receiptOf(message, reply, starts, retryFlag))
    const retry = `%RETRY%consumers${retryFlag === '2' ? '+' : '_'}${message.topic}`
    const isOwnTopic = retryFlag === '0' || message.topic.startsWith('%RETRY%')
    return { message, receipt, topic: isOwnTopic ? message.topic : retry }
  })
}

function receiptOf(
  { queueId, queueOffset }: StoredMessage,
  reply: Partial<PopReply>,
  starts: ReadonlyMap<string, number>,
  retryFlag: string,
): PopReceipt {
  const startOffset = starts.get(`${retryFlag} ${queueId}`)!
  const { popTime, invisibleTime, reviveQid: reviveQueueId } = reply as PopReply
  const of = { startOffset, popTime, invisibleTime, reviveQueueId, retryFlag }
  return { ...of, brokerName: BROKER, queueId, queueOffset }
}

export function ackHeader({ message, receipt, topic }: Popped, consumerGroup = 'consumers') {
  const { queueId, queueOffset: offset } = message
  return { consumerGroup, topic, queueId, offset, extraInfo: receipt }
}

export function ack(client: RawClient, popped: Popped, group?: string) {
  return client.ask(AckMessage, ackHeader(popped, group))
}

export function bodiesOf(popped: readonly Popped[]): string[] {
  return popped.map(({ message }) => Buffer.from(message.body).toString())
}
