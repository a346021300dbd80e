/**
 * Reads the body of a registration. A broker with fifty thousand topics sends ten megabytes of JSON
 * after one of them has changed, and nobody is answered while they are read: what is standard JSON
 * goes through JSON.parse, which makes it 120 ms instead of the 250 ms of the tolerant reader.
 */
import { decodeRegisterBroker, RegisterBrokerBody } from '../protocol/bodies/register-broker.ts'
import { TopicConfig, topicFilterTypes } from '../protocol/bodies/topic-config.ts'
import type { JsonValue } from '../protocol/json.ts'
import { MqVersion } from '../protocol/mq-version.ts'

interface Form {
  compressed: boolean
  /** The sender's. */
  version: number
}

/** JSON.parse has no limits of its own. These are the tolerant reader's. */
const CELLS_MAX = 1 << 22
const CONTAINER_CELLS = 8

/** Throws JsonError or ResponseError. */
export function readRegistration(bytes: Uint8Array | null, form: Form): RegisterBrokerBody {
  const isPlain = bytes !== null && !form.compressed && form.version >= MqVersion.V3_0_11
  const body = isPlain ? parseStandard(bytes) : null
  return body === null ? decodeRegisterBroker(bytes, form) : readBody(body)
}

/** Shared: nobody changes what was read. */
const NO_ATTRIBUTES = new Map<string, string>()

type Plain = Record<string, unknown>

/** null: not standard, or too much of it. */
function parseStandard(bytes: Uint8Array): WithTopics | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (cellsOf(text) > CELLS_MAX || text.includes('"$ref"')) return null
  try {
    const value: unknown = JSON.parse(text.toString())
    return hasTopics(value) ? value : null
  } catch {
    return null
  }
}

interface WithTopics extends Plain {
  topicConfigSerializeWrapper: Plain & { topicConfigTable: Plain }
}

function hasTopics(value: unknown): value is WithTopics {
  if (!isObject(value) || !isObject(value.topicConfigSerializeWrapper)) return false
  return isObject(value.topicConfigSerializeWrapper.topicConfigTable)
}

/** At most as many values as there are commas and brackets. */
function cellsOf(text: Buffer): number {
  let cells = 0
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]
    if (byte === 0x2c) cells++
    else if (byte === 0x7b || byte === 0x5b) cells += CONTAINER_CELLS
  }
  return cells
}

function readBody(body: WithTopics): RegisterBrokerBody {
  const { topicConfigTable, ...wrapper } = body.topicConfigSerializeWrapper
  const rest = { ...body, topicConfigSerializeWrapper: wrapper }
  const read = RegisterBrokerBody.read(toJsonValue(rest))
  const topics = Object.entries(topicConfigTable).filter(([, topic]) => topic !== null)
  read.topicConfigSerializeWrapper.topicConfigTable = new Map(
    topics.map(([name, topic]) => [name, readTopic(topic, name)]),
  )
  return read
}

function readTopic(topic: unknown, name: string): TopicConfig {
  if (!isOrdinary(topic)) return TopicConfig.read(toJsonValue(topic), `topicConfigTable.${name}`)
  const { order, perm, readQueueNums, topicFilterType, topicName, topicSysFlag, writeQueueNums } =
    topic
  return {
    attributes: NO_ATTRIBUTES,
    order,
    perm,
    readQueueNums,
    topicFilterType,
    topicName,
    topicSysFlag,
    writeQueueNums,
  }
}

/** What Apache writes of a topic without attributes. */
function isOrdinary(topic: unknown): topic is Omit<TopicConfig, 'attributes'> {
  if (!isObject(topic) || !isObject(topic.attributes)) return false
  for (const _ in topic.attributes) return false
  return (
    typeof topic.topicName === 'string' &&
    typeof topic.order === 'boolean' &&
    topicFilterTypes.some((type) => type === topic.topicFilterType) &&
    Number.isSafeInteger(topic.perm) &&
    Number.isSafeInteger(topic.readQueueNums) &&
    Number.isSafeInteger(topic.writeQueueNums) &&
    Number.isSafeInteger(topic.topicSysFlag)
  )
}

function isObject(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The form that the tolerant reader gives. */
function toJsonValue(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(toJsonValue)
  if (isObject(value)) {
    return new Map(Object.entries(value).map(([key, each]) => [key, toJsonValue(each)]))
  }
  const isLong = Number.isInteger(value) && !Number.isSafeInteger(value) && isInt64(value as number)
  return isLong ? BigInt(value as number) : (value as JsonValue)
}

function isInt64(value: number): boolean {
  return value >= -(2 ** 63) && value < 2 ** 63
}
