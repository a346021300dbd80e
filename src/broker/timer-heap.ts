/** A timer that is about to be due. */
export interface DueTimer {
  dueMs: number
  /** Where its unit stands: among those that are due together the order they came in. */
  unitAt: number
  /** Of its message in the log. */
  position: number
  length: number
  magic: number
  /** When it was put into the wheel. */
  writtenMs: number
}

const FIRST_CAPACITY = 1024

/** Timers by the time they are due. What is in it takes some fifty bytes each, and nothing for the collector. */
export class TimerHeap {
  #order = new Int32Array(FIRST_CAPACITY)
  #free = new Int32Array(FIRST_CAPACITY)
  #due = new Float64Array(FIRST_CAPACITY)
  #unitAt = new Float64Array(FIRST_CAPACITY)
  #position = new Float64Array(FIRST_CAPACITY)
  #written = new Float64Array(FIRST_CAPACITY)
  #length = new Int32Array(FIRST_CAPACITY)
  #magic = new Uint8Array(FIRST_CAPACITY)
  #size = 0

  constructor() {
    this.#fillFree(0)
  }

  get size(): number {
    return this.#size
  }

  /** When the first is due; Infinity when there is none. */
  get dueMs(): number {
    return this.#size === 0 ? Infinity : this.#due[this.#order[0]!]!
  }

  push(timer: DueTimer): void {
    if (this.#size === this.#order.length) this.#grow()
    const place = this.#free[this.#size]!
    this.#due[place] = timer.dueMs
    this.#unitAt[place] = timer.unitAt
    this.#position[place] = timer.position
    this.#written[place] = timer.writtenMs
    this.#length[place] = timer.length
    this.#magic[place] = timer.magic
    this.#rise(this.#size++, place)
  }

  /** There is one. */
  pop(): DueTimer {
    const place = this.#order[0]!
    const last = this.#order[--this.#size]!
    if (this.#size > 0) this.#sink(last)
    this.#free[this.#size] = place
    return {
      dueMs: this.#due[place]!,
      unitAt: this.#unitAt[place]!,
      position: this.#position[place]!,
      writtenMs: this.#written[place]!,
      length: this.#length[place]!,
      magic: this.#magic[place]!,
    }
  }

  clear(): void {
    this.#size = 0
    this.#fillFree(0)
  }

  #rise(from: number, place: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(place, this.#order[parent]!)) break
      this.#order[at] = this.#order[parent]!
      at = parent
    }
    this.#order[at] = place
  }

  #sink(place: number): void {
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#size) break
      const right = child + 1
      if (right < this.#size && this.#isBefore(this.#order[right]!, this.#order[child]!)) child++
      if (!this.#isBefore(this.#order[child]!, place)) break
      this.#order[at] = this.#order[child]!
      at = child
    }
    this.#order[at] = place
  }

  #isBefore(one: number, other: number): boolean {
    const [due, otherDue] = [this.#due[one]!, this.#due[other]!]
    return due < otherDue || (due === otherDue && this.#unitAt[one]! < this.#unitAt[other]!)
  }

  #grow(): void {
    const capacity = 2 * this.#order.length
    this.#order = grown(this.#order, new Int32Array(capacity))
    this.#free = grown(this.#free, new Int32Array(capacity))
    this.#due = grown(this.#due, new Float64Array(capacity))
    this.#unitAt = grown(this.#unitAt, new Float64Array(capacity))
    this.#position = grown(this.#position, new Float64Array(capacity))
    this.#written = grown(this.#written, new Float64Array(capacity))
    this.#length = grown(this.#length, new Int32Array(capacity))
    this.#magic = grown(this.#magic, new Uint8Array(capacity))
    this.#fillFree(this.#size)
  }

  /** The places from `from` on are used by nobody. */
  #fillFree(from: number): void {
    for (let place = from; place < this.#free.length; place++) this.#free[place] = place
  }
}

function grown<T extends Int32Array | Float64Array | Uint8Array>(old: T, larger: T): T {
  larger.set(old)
  return larger
}
