/** Requests of producers, consumers and admins, with what a test does not care about filled in. */
import { encodeProperties, messagesIn, type StoredMessage } from '../../src/protocol/message.ts'
import { PullFlag, PullMessage, type PullHeader } from '../../src/protocol/requests/pull.ts'
import { SendMessageV2, type SendHeader, type SendReply } from '../../src/protocol/requests/send.ts'
import { GetMaxOffset } from '../../src/protocol/requests/offset.ts'
import { UpdateAndCreateTopic } from '../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import type { Answer, RawClient, RequestOptions } from './raw-client.ts'

export function sendHeader(topic: string, changes: Partial<SendHeader> = {}): SendHeader {
  return {
    producerGroup: 'producers',
    topic,
    defaultTopic: 'TBW102',
    defaultTopicQueueNums: 4,
    queueId: 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    flag: 0,
    properties: '',
    reconsumeTimes: 0,
    unitMode: false,
    batch: false,
    ...changes,
  }
}

/** Wants everything of queue 0, brings its subscription along, and does not wait. */
export function pullHeader(topic: string, changes: Partial<PullHeader> = {}): PullHeader {
  return {
    consumerGroup: 'consumers',
    topic,
    queueId: 0,
    queueOffset: 0,
    maxMsgNums: 32,
    sysFlag: PullFlag.SUBSCRIPTION,
    commitOffset: 0,
    suspendTimeoutMillis: 0,
    subscription: '*',
    subVersion: 0,
    ...changes,
  }
}

/** A pull that waits for a message. */
export function holdingPull(topic: string, changes: Partial<PullHeader> = {}): PullHeader {
  const sysFlag = PullFlag.SUBSCRIPTION | PullFlag.SUSPEND
  return pullHeader(topic, { sysFlag, suspendTimeoutMillis: 30_000, ...changes })
}

/** Properties as a producer writes them. */
export function properties(pairs: Record<string, string>): string {
  return encodeProperties(Object.entries(pairs))
}

/** Sends one message to a queue; anything but SUCCESS fails the test. */
export async function sendTo(
  client: RawClient,
  topic: string,
  changes: Partial<SendHeader> = {},
  options: RequestOptions = { body: Buffer.from('body') },
): Promise<SendReply> {
  const { code, remark, reply } = await client.ask(
    SendMessageV2,
    sendHeader(topic, changes),
    options,
  )
  if (code !== 0) throw new Error(`send to ${topic} answered ${code}: ${remark}`)
  return reply as SendReply
}

/** Creates a topic, or changes it; anything but SUCCESS fails the test. */
export async function createTopic(
  client: RawClient,
  topic: string,
  options: { queues?: number; perm?: number; attributes?: string } = {},
): Promise<void> {
  const { code, remark } = await setTopic(client, topic, options)
  if (code !== 0) throw new Error(`create ${topic} answered ${code}: ${remark}`)
}

/** Creates or changes it; the answer may be that it is refused. */
export function setTopic(
  client: RawClient,
  topic: string,
  {
    queues = 1,
    perm = 6,
    attributes,
  }: { queues?: number; perm?: number; attributes?: string } = {},
) {
  return client.ask(UpdateAndCreateTopic, {
    topic,
    defaultTopic: 'TBW102',
    readQueueNums: queues,
    writeQueueNums: queues,
    perm,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
    force: false,
    attributes,
  })
}

export async function maxOffset(client: RawClient, topic: string, queueId: number) {
  const { reply } = await client.ask(GetMaxOffset, { topic, queueId, committed: true })
  return reply.offset!
}

/** The messages in a pull's reply. */
export function messagesOf({ body }: { body: Uint8Array | null }): StoredMessage[] {
  return body === null ? [] : [...messagesIn(body)]
}

/** All messages of a queue from an offset up to `end`, waiting for those that are not there yet. */
export async function readQueue(
  client: RawClient,
  topic: string,
  { queueId = 0, from = 0, end }: { queueId?: number; from?: number; end: number },
): Promise<StoredMessage[]> {
  const found: StoredMessage[] = []
  for (let queueOffset = from; queueOffset < end;) {
    const answer: Answer<{ nextBeginOffset?: number }> = await client.ask(
      PullMessage,
      holdingPull(topic, { queueId, queueOffset }),
    )
    const { code, remark, reply } = answer
    const isTooEarly =
      code === ResponseCode.PULL_OFFSET_MOVED && reply.nextBeginOffset! < queueOffset
    if (isTooEarly) continue
    if (code !== 0) throw new Error(`pull answered ${code}: ${remark}`)
    found.push(...messagesOf(answer))
    queueOffset = reply.nextBeginOffset!
  }
  return found
}
