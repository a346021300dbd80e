import { writeSafeInt64 } from '../../src/base/bytes.ts'
import type { RecordSource } from '../../src/store/log-appender.ts'
import { FIXED_LENGTH, MAGIC_V1, RecordAt } from '../../src/store/log-record.ts'
import type { LogWindow } from '../../src/store/log-window.ts'
import type { LogModel } from './log-model.ts'
import type { Random } from './random.ts'
import type { Steps } from './steps.ts'

export const SIM_TOPIC = 'T'
const HOSTS = 16
const BODY_MAX = 40
const BATCH_MAX = 2
/** Topic length, topic and nothing else that varies. */
const SHORTEST = FIXED_LENGTH + HOSTS + 1 + SIM_TOPIC.length
/** Longest append of a simulation. */
export const SIM_APPEND_MAX = BATCH_MAX * (SHORTEST + BODY_MAX)

/** A record, or two, of random lengths; its encoding into the window takes several steps. */
export class SimSource implements RecordSource {
  row = 0
  length = 0
  count = 0
  position = 0
  queueOffset = 0
  storeTimestamp = 0
  readonly #model: LogModel
  readonly #random: Random
  readonly #rows: number
  #bodies: Buffer[] = []

  constructor(model: LogModel, random: Random, rows: number) {
    this.#model = model
    this.#random = random
    this.#rows = rows
  }

  next(): void {
    const random = this.#random
    this.row = random.below(this.#rows)
    this.count = random.oneIn(3) ? BATCH_MAX : 1
    this.#bodies = Array.from({ length: this.count }, () =>
      Buffer.alloc(random.below(BODY_MAX + 1), 1 + random.below(255)),
    )
    this.length = this.#bodies.reduce((sum, body) => sum + SHORTEST + body.length, 0)
  }

  /** A generator at run time, as all stepped functions. */
  encodeInto(window: LogWindow, index: number): void {
    return this.#encode(window, index) as unknown as void
  }

  *#encode(window: LogWindow, index: number): Steps<void> {
    const lengths = this.#bodies.map((body) => SHORTEST + body.length)
    let position = this.position
    const records = this.#bodies.map((body, nth) => {
      const record = this.#record(body, { position, queueOffset: this.queueOffset + nth })
      position += record.length
      return record
    })
    const bytes = Buffer.concat(records)
    const middle = this.#random.below(bytes.length)
    yield 'encodes the first half'
    window.bytes.set(bytes.subarray(0, middle), index)
    yield 'encodes the second half'
    window.bytes.set(bytes.subarray(middle), index + middle)
    const { row, queueOffset, storeTimestamp: timestamp } = this
    this.#model.append({ position: this.position, bytes, row, queueOffset, lengths, timestamp })
  }

  /** Apache's stored form, as MessageRecord has it, but for hosts and checksum. */
  #record(body: Buffer, at: { position: number; queueOffset: number }): Buffer {
    const bytes = Buffer.alloc(SHORTEST + body.length)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    view.setInt32(RecordAt.LENGTH, bytes.length)
    view.setInt32(RecordAt.MAGIC, MAGIC_V1)
    view.setInt32(RecordAt.QUEUE_ID, this.row)
    writeSafeInt64(view, RecordAt.QUEUE_OFFSET, at.queueOffset)
    writeSafeInt64(view, RecordAt.POSITION, at.position)
    writeSafeInt64(view, RecordAt.BORN_HOST + 8, this.storeTimestamp)
    const bodyLengthAt = RecordAt.BORN_HOST + 8 + 8 + 8 + 12
    view.setInt32(bodyLengthAt, body.length)
    body.copy(bytes, bodyLengthAt + 4)
    const topicAt = bodyLengthAt + 4 + body.length
    view.setInt8(topicAt, SIM_TOPIC.length)
    bytes.write(SIM_TOPIC, topicAt + 1)
    return bytes
  }
}
