import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { unpackTar } from './tar.ts'

const FOLDER = new URL('../golden/store/', import.meta.url)

export interface GoldenQueue {
  topic: string
  queueId: number
  minOffset: number
  maxOffset: number
  /** Queue offset, position, length, tags code, count of messages. */
  units: [number, number, number, number, number][]
}

export interface GoldenMessage {
  physicalOffset: number
  size: number
  topic: string
  queueId: number
  queueOffset: number
  recordSha256: string
}

/** The stores of which every field of every record is known. */
export interface GoldenFields extends GoldenMessage {
  magic: string
  flag: number
  sysFlag: number
  bornTimestamp: number
  bornHost: string
  storeTimestamp: number
  storeHost: string
  reconsumeTimes: number
  preparedTransactionOffset: number
  bodyCRC: number
  bodyLen: number
  bodySha256: string
  msgId: string
  /** Null without properties. */
  propertiesText: string | null
}

/** What Apache 5.3.3 finds in one of the stores of test/golden/store. */
export interface GoldenStore {
  name: string
  abortPresent: boolean
  minPosition: number
  end: number
  recordsDropped: number
  queues: GoldenQueue[]
  messages: GoldenMessage[]
}

export const GOLDEN_QUEUE_FILE_SIZE = 2000

const all = JSON.parse(readFileSync(new URL('stores.json', FOLDER), 'utf8')) as GoldenStore[]

export function goldenStore(name: string): GoldenStore {
  return all.find((store) => store.name === name)!
}

export function goldenLogFileSize(name: string): number {
  return name.startsWith('ha-') ? 8192 : 65536
}

/** Unpacks the store into `folder`; returns its root. */
export function unpackGolden(name: string, folder: string): string {
  unpackTar(gunzipSync(readFileSync(new URL(`${name}.tar.gz`, FOLDER))), folder)
  return join(folder, name)
}
