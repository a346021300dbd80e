import type { MessageDraft } from '../../../src/broker/message-draft.ts'
import type { PopFound, PopStore } from '../../../src/broker/pop/pop-store.ts'
import { topicConfig } from '../../../src/broker/system-topics.ts'
import { encodeMessage } from '../../../src/protocol/message-encoder.ts'
import { decodeProperties, type StoredMessage } from '../../../src/protocol/message.ts'
import { ReadStatus } from '../../../src/store/pull-reader.ts'

const STORE_HOST = Uint8Array.of(127, 0, 0, 1, 0, 0, 42, 159)

interface Record {
  topic: string
  queueId: number
  bytes: Buffer
}

/** The log and its queues. What is beyond `written` a crash takes away. */
export class MemoryQueues implements PopStore {
  readonly topics = new Map<string, ReturnType<typeof topicConfig>>()
  readonly #log: Record[] = []
  readonly #places: string[] = []
  readonly #queues: Buffer[][] = []
  #written = 0
  #dispatched: number[] = []
  #waiting: { end: number; resolve: () => void }[] = []

  add(topic: string, queues: number): void {
    this.topics.set(topic, topicConfig(topic, queues, 6))
    for (let queueId = 0; queueId < queues; queueId++) this.#place(topic, queueId)
  }

  append(draft: MessageDraft): { queueOffset: number; survived: Promise<void> } {
    const queue = this.#queues[this.#place(draft.topic, draft.queueId)]!
    const queueOffset = queue.length
    const bytes = encodeMessage(stored(draft, { queueOffset, position: this.#log.length }))
    queue.push(bytes)
    this.#log.push({ topic: draft.topic, queueId: draft.queueId, bytes })
    const survived = new Promise<void>((resolve) => {
      this.#waiting.push({ end: this.#log.length, resolve })
    })
    return { queueOffset, survived }
  }

  /** Up to `count` records more are in the file. */
  write(count = Infinity): void {
    this.#written = Math.min(this.#written + count, this.#log.length)
    const done = this.#waiting.filter(({ end }) => end <= this.#written)
    this.#waiting = this.#waiting.filter(({ end }) => end > this.#written)
    for (const { resolve } of done) resolve()
  }

  /** What is written can be read. */
  dispatch(): void {
    const counts = this.#queues.map(() => 0)
    for (const { topic, queueId } of this.#log.slice(0, this.#written)) {
      counts[this.#place(topic, queueId)]!++
    }
    this.#dispatched = counts
  }

  crash(): void {
    this.#log.length = this.#written
    this.#waiting = []
    for (const queue of this.#queues) queue.length = 0
    for (const { topic, queueId, bytes } of this.#log) {
      this.#queues[this.#place(topic, queueId)]!.push(bytes)
    }
    this.dispatch()
  }

  rowOf(topic: string, queueId: number): number | undefined {
    const row = this.#places.indexOf(`${topic}/${queueId}`)
    return row === -1 ? undefined : row
  }

  min(): number {
    return 0
  }

  max(row: number): number {
    return this.#dispatched[row] ?? 0
  }

  next(row: number): number {
    return this.#queues[row]!.length
  }

  watch(): void {}

  deletedBelow(): number {
    return 0
  }

  /** Every third read comes from a disk. */
  read(
    { row }: { row: number },
    { offset, countMax }: { offset: number; countMax: number },
  ): PopFound | Promise<PopFound> {
    const max = this.max(row)
    const end = Math.min(max, offset + countMax)
    const found = this.#queues[row]!.slice(offset, end)
    const status = found.length > 0 ? ReadStatus.FOUND : ReadStatus.OFFSET_OVERFLOW_ONE
    const offsets = found.map((_, nth) => offset + nth)
    const nextOffset = offset + found.length
    const of = { status, nextOffset, minOffset: 0, maxOffset: max }
    const all = { ...of, bytes: Buffer.concat(found), offsets }
    return ++this.#reads % 3 === 0 ? Promise.resolve(all) : all
  }

  #reads = 0

  #place(topic: string, queueId: number): number {
    const key = `${topic}/${queueId}`
    const known = this.#places.indexOf(key)
    if (known !== -1) return known
    this.#queues.push([])
    return this.#places.push(key) - 1
  }
}

function stored(
  draft: MessageDraft,
  { queueOffset, position }: { queueOffset: number; position: number },
): StoredMessage {
  return {
    ...draft,
    length: 0,
    queueOffset,
    position,
    bodyCrc: 0,
    storeTimestamp: 0,
    storeHost: STORE_HOST,
    properties: decodeProperties(draft.properties.toString()),
  }
}
