import { viewOf } from '../base/bytes.ts'
import { UNIT_LENGTH, writeUnit, type ConsumeQueue } from './consume-queue.ts'

/** Entries gathered of one queue before they are written in one piece. */
const UNITS = 256

/** Entries of a queue on their way into its file. */
class UnitBuffer {
  readonly bytes = Buffer.allocUnsafeSlow(UNITS * UNIT_LENGTH)
  readonly view = viewOf(this.bytes)
}

/** Buffers for queues that are being added to right now; most queues are not. */
export class UnitBuffers {
  readonly #free: UnitBuffer[] = []

  take(): UnitBuffer {
    return this.#free.pop() ?? new UnitBuffer()
  }

  giveBack(buffer: UnitBuffer): void {
    this.#free.push(buffer)
  }
}

/** The end of one consume queue in the making: dispatch's own, nobody else writes to the queue. */
export class QueueTail {
  readonly row: number
  readonly queue: ConsumeQueue
  isTouched = false
  /** The offset of the next entry. */
  next: number
  readonly #buffers: UnitBuffers
  #buffer: UnitBuffer | undefined
  #count = 0
  readonly #unit = { position: 0, length: 0, tagsCode: 0 }
  /** The first offset that was written since the start; -1 without one. */
  #writtenFrom = -1

  constructor(row: number, queue: ConsumeQueue, next: number, buffers: UnitBuffers) {
    this.row = row
    this.queue = queue
    this.next = next
    this.#buffers = buffers
  }

  add(position: number, length: number, tagsCode: number): void {
    const buffer = (this.#buffer ??= this.#buffers.take())
    const unit = this.#unit
    unit.position = position
    unit.length = length
    unit.tagsCode = tagsCode
    writeUnit(buffer.view, this.#count * UNIT_LENGTH, unit)
    this.#count++
    this.next++
    if (this.#count === UNITS) this.flush()
  }

  flush(): void {
    if (this.#buffer === undefined) return
    const from = this.next - this.#count
    this.queue.write(from, this.#buffer.bytes, this.#count)
    if (this.#writtenFrom === -1) this.#writtenFrom = from
    this.#count = 0
    this.#buffers.giveBack(this.#buffer)
    this.#buffer = undefined
  }

  get wasWritten(): boolean {
    return this.#writtenFrom !== -1
  }

  /** At a clean stop: makes what was written durable. Files below the queue's `min` may be gone. */
  sync(min: number): void {
    if (this.#writtenFrom === -1) return
    const last = this.next - this.#count - 1 // a disk that refused has left some in the buffer
    this.queue.sync(Math.min(last, Math.max(min, this.#writtenFrom)), last)
  }
}
