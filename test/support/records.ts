import type { RecordSource } from '../../src/store/log-appender.ts'
import { allocateLogMemory, LogShared } from '../../src/store/log-memory.ts'
import { LogWindow } from '../../src/store/log-window.ts'
import { BatchRecord, MessageRecord, RecordFields } from '../../src/store/message-record.ts'

/** What a test says of a record; the rest has a value that does not matter. */
export interface RecordParams {
  topic?: string
  body?: Uint8Array | string
  properties?: string
  suffix?: string
  bornHost?: Uint8Array
  storeHost?: Uint8Array
  queueId?: number
  flag?: number
  sysFlag?: number
  bornTimestamp?: number
  reconsumeTimes?: number
  preparedTransactionOffset?: number
}

/** What an append would have given it. */
export interface RecordPlace {
  position?: number
  queueOffset?: number
  storeTimestamp?: number
}

/** IP and port as records have them. */
export function host(address: readonly number[], port: number): Buffer {
  const bytes = Buffer.alloc(address.length + 4)
  bytes.set(address)
  bytes.writeInt32BE(port, address.length)
  return bytes
}

export function recordFields(params: RecordParams): RecordFields {
  const fields = new RecordFields()
  const { topic = 'Topic', body = 'body', properties = '', suffix = '' } = params
  set(fields.topic, topic)
  set(fields.body, body)
  set(fields.properties, properties)
  fields.suffix.setAll(Buffer.from(suffix))
  fields.isLongTopic = topic.length > 127
  fields.bornHost.setAll(params.bornHost ?? host([10, 0, 0, 1], 40_001))
  fields.storeHost.setAll(params.storeHost ?? host([10, 0, 0, 2], 10_911))
  fields.queueId = params.queueId ?? 0
  fields.flag = params.flag ?? 0
  fields.sysFlag = params.sysFlag ?? 0
  fields.bornTimestamp = params.bornTimestamp ?? 1_700_000_000_000
  fields.reconsumeTimes = params.reconsumeTimes ?? 0
  fields.preparedTransactionOffset = params.preparedTransactionOffset ?? 0
  return fields
}

function set(slice: RecordFields['topic'], content: Uint8Array | string): void {
  const bytes = Buffer.from(content as string)
  // Not at 0: whoever forgets where a slice begins is found out.
  slice.set(Buffer.concat([Buffer.from('???'), bytes, Buffer.from('???')]), 3, bytes.length)
}

/** One message in its stored form. */
export function messageBytes(params: RecordParams, place: RecordPlace = {}): Buffer {
  const record = new MessageRecord(recordFields(params))
  record.prepare()
  return encode(record, place)
}

/** A batch in its stored form; `params.body` holds the items as clients encode them. */
export function batchBytes(params: RecordParams, place: RecordPlace = {}): Buffer {
  const record = new BatchRecord(recordFields(params))
  record.prepare()
  return encode(record, place)
}

const AT = 5
const memory = allocateLogMemory({ windowSize: 4096, slack: 8 << 20, threads: 1, rows: 1 })
const window = new LogWindow(new LogShared(memory, 0))

function encode(record: RecordSource, place: RecordPlace): Buffer {
  record.position = place.position ?? 0
  record.queueOffset = place.queueOffset ?? 0
  record.storeTimestamp = place.storeTimestamp ?? 1_700_000_000_001
  record.encodeInto(window, AT)
  return Buffer.from(window.bytes.subarray(AT, AT + record.length))
}
