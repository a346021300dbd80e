import { MessageProperty } from '../protocol/message-property.ts'
import { ClientError } from './client-error.ts'

/** What a producer sends. Texts are sent as UTF-8. */
export interface Message {
  readonly topic: string
  readonly body: Uint8Array | string
  /** One tag, by which consumers filter. */
  readonly tags?: string
  /** By which messages are found again (`mqadmin queryMsgByKey`). */
  readonly keys?: string | readonly string[]
  readonly properties?: Readonly<Record<string, string>>
  /** For the application alone. An int32. */
  readonly flag?: number
  /**
   * 1 to 18: 1s 5s 10s 30s 1m 2m … 10m 20m 30m 1h 2h, unless the broker is configured otherwise.
   */
  readonly delayLevel?: number
  /** Milliseconds from now, three days at most. */
  readonly delayMs?: number
  /** Milliseconds since 1970, three days ahead at most. */
  readonly deliverAtMs?: number
  /** Whether the answer waits for disk and slaves as the broker is configured to. Default: true. */
  readonly waitStoreOk?: boolean
}

/** A message that passed every check, as it goes on the wire, but for compression. */
export interface OutgoingMessage {
  readonly topic: string
  readonly msgId: string
  readonly body: Uint8Array
  readonly flag: number
  readonly properties: ReadonlyMap<string, string>
}

const TOPIC_LENGTH_MAX = 127
const GROUP_LENGTH_MAX = 255

/** Throws ClientError. */
export function checkTopic(topic: string): void {
  checkName('topic', topic, TOPIC_LENGTH_MAX)
}

/** Throws ClientError. Apache's two placeholder names are no groups. */
export function checkGroup(group: string): void {
  checkName('group', group, GROUP_LENGTH_MAX)
  if (group === 'DEFAULT_PRODUCER' || group === 'DEFAULT_CONSUMER') {
    throw new ClientError(`group '${group}' is reserved: choose a name of your own`)
  }
}

function checkName(kind: string, name: string, lengthMax: number): void {
  if (name.length > 0 && name.length <= lengthMax && /^[%|\w-]+$/.test(name)) return
  const allowed = `1 to ${lengthMax} of the characters a-z A-Z 0-9 _ - % |`
  throw new ClientError(`${kind} '${name}' is not allowed: it must be ${allowed}`)
}

const RESERVED: ReadonlySet<string> = new Set(Object.values(MessageProperty))

/** Throws ClientError that names the topic, what is wrong and what is allowed. */
export function outgoing(message: Message, msgId: string, bodyMax: number): OutgoingMessage {
  const { topic, flag = 0 } = message
  checkTopic(topic)
  const body = typeof message.body === 'string' ? Buffer.from(message.body) : message.body
  if (body.length === 0 || body.length > bodyMax) {
    const allowed = `1 to ${bodyMax} bytes (maxMessageSize)`
    throw new ClientError(`topic ${topic}: a body of ${body.length} bytes, it must be ${allowed}`)
  }
  return { topic, msgId, body, flag, properties: propertiesOf(message, msgId) }
}

function propertiesOf(message: Message, msgId: string): Map<string, string> {
  const { keys, waitStoreOk = true } = message
  const own: Record<string, string | number | boolean | undefined> = {
    [MessageProperty.KEYS]: (typeof keys === 'object' ? keys.join(' ') : keys) || undefined,
    [MessageProperty.TAGS]: message.tags || undefined,
    [MessageProperty.DELAY]: message.delayLevel,
    [MessageProperty.TIMER_DELAY_MS]: message.delayMs,
    [MessageProperty.TIMER_DELIVER_MS]: message.deliverAtMs,
    [MessageProperty.WAIT]: waitStoreOk,
    [MessageProperty.UNIQ_KEY]: msgId,
  }
  const properties = new Map(Object.entries(message.properties ?? {}))
  for (const name of properties.keys()) checkPropertyName(message.topic, name)
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined) properties.set(name, String(value))
  }
  for (const [name, value] of properties) checkPropertyValue(message.topic, name, value)
  return properties
}

function checkPropertyName(topic: string, name: string): void {
  if (RESERVED.has(name)) {
    throw new ClientError(`topic ${topic}: property ${name} is RocketMQ's own, use another name`)
  }
  if (!isPropertyText(name)) throw new ClientError(`topic ${topic}: property name ${refused(name)}`)
}

function checkPropertyValue(topic: string, name: string, value: string): void {
  if (isPropertyText(value)) return
  throw new ClientError(`topic ${topic}: property ${name} is ${refused(value)}`)
}

/** Properties are stored with separators 1 and 2; readers drop empty ones. */
function isPropertyText(text: string): boolean {
  return text !== '' && !text.includes('\u0001') && !text.includes('\u0002')
}

function refused(text: string): string {
  return `${JSON.stringify(text)}: it must be neither empty nor hold the characters 1 and 2`
}
