import { javaHashCode } from '../base/java-hash.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { MessageFlag } from '../protocol/message.ts'
import type { ReceivedMessage } from './received-message.ts'
import type { SendResult } from './send-result.ts'

/** A SendResult as Apache 5.3.3 prints it: scripts read the output of its quickstart. */
export function formatSendResult(result: SendResult): string {
  const { queue, recallHandle = null } = result
  return javaText('SendResult', {
    sendStatus: result.status,
    msgId: result.msgId,
    offsetMsgId: result.offsetMsgId,
    messageQueue: javaText('MessageQueue', {
      topic: queue.topic,
      brokerName: queue.brokerName,
      queueId: queue.queueId,
    }),
    queueOffset: result.queueOffset,
    recallHandle,
  })
}

/** A message as Apache 5.3.3 prints it. Its msgId there is what we call offsetMsgId. */
export function formatMessage(message: ReceivedMessage): string {
  const { stored } = message
  return javaText('MessageExt', {
    brokerName: message.brokerName,
    queueId: stored.queueId,
    storeSize: stored.length,
    queueOffset: stored.queueOffset,
    sysFlag: stored.sysFlag & ~MessageFlag.COMPRESSED,
    bornTimestamp: stored.bornTimestamp,
    bornHost: `/${message.bornHost}`,
    storeTimestamp: stored.storeTimestamp,
    storeHost: `/${message.storeHost}`,
    msgId: message.offsetMsgId,
    commitLogOffset: stored.position,
    bodyCRC: stored.bodyCrc,
    reconsumeTimes: message.reconsumeTimes,
    preparedTransactionOffset: stored.preparedTransactionOffset,
    'toString()': formatContent(message),
  })
}

/** `A=1, B=2`, in the order in which Apache prints them. */
export function propertiesText(properties: ReadonlyMap<string, string>): string {
  const pairs = hashOrder([...properties])
  return pairs.map(([name, value]) => `${name}=${value}`).join(', ')
}

function formatContent({ topic, stored, properties, body }: ReceivedMessage): string {
  const bytes = new Int8Array(body.buffer, body.byteOffset, body.byteLength).join(', ')
  const transactionId = properties.get(MessageProperty.TRANSACTION_ID) ?? null
  return `Message{topic='${topic}', flag=${stored.flag}, properties={${propertiesText(properties)}}, body=[${bytes}], transactionId='${transactionId}'}`
}

/** The order of a Java HashMap of 128 buckets, which is what Apache decodes properties into. */
function hashOrder(pairs: [string, string][]): [string, string][] {
  const bucket = ([name]: [string, string]) => {
    const hash = javaHashCode(name)
    return (hash ^ (hash >>> 16)) & 127
  }
  return pairs.sort((one, other) => bucket(one) - bucket(other))
}

function javaText(name: string, fields: Record<string, string | number | null>): string {
  const pairs = Object.entries(fields).map(([field, value]) => `${field}=${value}`)
  return `${name} [${pairs.join(', ')}]`
}
