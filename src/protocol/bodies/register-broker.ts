/**
 * What a broker sends with REGISTER_BROKER: its topics and filter servers. Three forms, told apart by
 * the header (Apache 5.3.3, RegisterBrokerBody):
 *
 * - JSON;
 * - from clients before 3.0.11: the JSON of the topics alone;
 * - with `compressed`: a zlib stream of
 *
 *    | data version | count | topic ... | filter servers | count | mapping ... |
 *
 *   where everything but the counts (int32) is text behind its length (int32), and a topic is
 *   `name readQueueNums writeQueueNums perm filterType {attributes}`. `order` and `topicSysFlag` get
 *   lost in it. The mappings are there from 5.0.0 on.
 */
import { deflateSync, inflateSync } from 'node:zlib'
import { body, list, orElse, record, text, textMap } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'
import { parseJson } from '../json.ts'
import { MqVersion } from '../mq-version.ts'
import { ResponseError } from '../response-error.ts'
import { DataVersion } from './data-version.ts'
import { TopicConfigWrapper, topicFilterTypes } from './topic-config.ts'
import type { TopicConfig } from './topic-config.ts'
import { TopicQueueMappingInfo } from './topic-queue-mapping.ts'

export const RegisterBrokerBody = body(
  'RegisterBrokerBody',
  record({
    filterServerList: orElse(list(text), []),
    topicConfigSerializeWrapper: orElse(TopicConfigWrapper, new Map()),
  }),
)
export type RegisterBrokerBody = BodyOf<typeof RegisterBrokerBody>

/** A few kilobytes can inflate to gigabytes; half a million topics fit in this. */
const INFLATED_LENGTH_MAX = 64 * 1024 * 1024

const filterServers = list(text)
const attributes = textMap(text)

/** Throws JsonError or ResponseError. `version` is the sender's. The CRC is for the caller to check. */
export function decodeRegisterBroker(
  bytes: Uint8Array | null,
  { compressed, version }: { compressed: boolean; version: number },
): RegisterBrokerBody {
  if (bytes === null) return RegisterBrokerBody.read(new Map())
  if (version < MqVersion.V3_0_11) {
    return {
      filterServerList: [],
      topicConfigSerializeWrapper: TopicConfigWrapper.decode(bytes),
    }
  }
  return compressed ? decodeCompressed(inflate(bytes), version) : RegisterBrokerBody.decode(bytes)
}

/** The `compressed` form, for a receiver of 5.0.0 or later. */
export function encodeRegisterBrokerCompressed(value: RegisterBrokerBody): Buffer {
  const wrapper = value.topicConfigSerializeWrapper
  const topics = [...wrapper.topicConfigTable.values()]
  const mappings = [...(wrapper.topicQueueMappingInfoMap?.values() ?? [])]
  const parts = [
    counted(DataVersion.write(wrapper.dataVersion)),
    int32(topics.length),
    ...topics.map((topic) => counted(topicText(topic))),
    counted(filterServers.write(value.filterServerList)),
    int32(mappings.length),
    ...mappings.map((mapping) => counted(TopicQueueMappingInfo.write(mapping))),
  ]
  return deflateSync(Buffer.concat(parts), { level: 9 })
}

function inflate(bytes: Uint8Array): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: INFLATED_LENGTH_MAX })
  } catch (error) {
    throw malformed((error as Error).message)
  }
}

function decodeCompressed(bytes: Buffer, version: number): RegisterBrokerBody {
  const reader = new CountedReader(bytes)
  const dataVersion = DataVersion.read(parseJson(reader.text()))
  const topics = reader.many((line) => readTopic(line))
  const filterServerList = filterServers.read(parseJson(reader.text()), 'filterServerList')
  const mappings =
    version < MqVersion.V5_0_0
      ? []
      : reader.many((line) => TopicQueueMappingInfo.read(parseJson(line)))
  return {
    filterServerList,
    topicConfigSerializeWrapper: {
      dataVersion,
      topicConfigTable: new Map(topics.map((topic) => [topic.topicName, topic])),
      topicQueueMappingInfoMap: new Map(mappings.map((mapping) => [mapping.topic, mapping])),
    },
  }
}

function topicText(topic: TopicConfig): string {
  const { topicName, readQueueNums, writeQueueNums, perm, topicFilterType } = topic
  const json = attributes.write(topic.attributes)
  return `${topicName} ${readQueueNums} ${writeQueueNums} ${perm} ${topicFilterType} ${json}`
}

function readTopic(line: string): TopicConfig {
  const match = /^(\S+) (\d{1,9}) (\d{1,9}) (\d{1,9}) (\S+)(?: (\{[^]*))?$/.exec(line)
  if (!match) throw malformed(`topic ${JSON.stringify(line.slice(0, 200))}`)
  const [, topicName, readQueueNums, writeQueueNums, perm, filterType, json] = match
  return {
    topicName: topicName!,
    readQueueNums: Number(readQueueNums),
    writeQueueNums: Number(writeQueueNums),
    perm: Number(perm),
    topicFilterType: topicFilterTypes.find((type) => type === filterType) ?? 'SINGLE_TAG',
    attributes: json === undefined ? new Map() : attributes.read(parseJson(json), topicName!),
    order: false,
    topicSysFlag: 0,
  }
}

/** Texts behind their lengths. Counts are not trusted: nothing is allocated by them. */
class CountedReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  many<T>(read: (text: string) => T): T[] {
    const values: T[] = []
    for (let left = this.#int32(); left > 0; left--) values.push(read(this.text()))
    return values
  }

  text(): string {
    const length = this.#int32()
    const start = this.#at
    if (length < 0 || start + length > this.#bytes.length) throw malformed(`length ${length}`)
    this.#at += length
    return this.#bytes.toString('utf8', start, this.#at)
  }

  #int32(): number {
    if (this.#at + 4 > this.#bytes.length) throw malformed('it ends too early')
    this.#at += 4
    return this.#bytes.readInt32BE(this.#at - 4)
  }
}

function counted(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([int32(bytes.length), bytes])
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

function malformed(why: string): ResponseError {
  return new ResponseError('SYSTEM_ERROR', `compressed RegisterBrokerBody: ${why}`)
}
