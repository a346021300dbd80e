import { SimFailure } from '../scheduler.ts'

/** One message as it was appended. */
export interface StoredRecord {
  /** Its queue: an index of QUEUES. */
  row: number
  offset: number
  position: number
  end: number
  bytes: Buffer
  /** A power failure has spoilt its topic or properties before anybody was told of it. */
  isTorn: boolean
}

/** What was appended to a store, and how much of it nobody may ever miss. */
export class StoreLedger {
  /** In the order of the log. */
  readonly records: StoredRecord[] = []
  /** By row, by offset; null stands for no message. */
  readonly queues: (StoredRecord | null)[][]
  /** Whatever ends below survives the death of the process. */
  kept = 0
  /** Whatever ends below survives the loss of power. */
  synced = 0
  /** Whatever begins below may be gone: retention said so. */
  deleted = 0
  /** As `deleted`, of all lives: a crash before the files went brings messages back, but not their keys. */
  released = 0
  /** Since the last recovery the power was lost: what nobody was promised may be torn. */
  isTorn = false

  constructor(rows: number) {
    this.queues = Array.from({ length: rows }, () => [])
  }

  /** Retention has come to here. */
  release(position: number): void {
    this.deleted = Math.max(this.deleted, position)
    this.released = Math.max(this.released, position)
  }

  /** With the append lock held, when the bytes are in the window. */
  append(record: StoredRecord): void {
    const queue = this.queues[record.row]!
    expect(record.offset === queue.length, `queue offset ${record.offset} of ${queue.length}`)
    const end = this.records.at(-1)?.end ?? 0
    expect(record.position >= end, `an append at ${record.position}, the log ends at ${end}`)
    this.records.push(record)
    queue.push(record)
  }

  /** Somebody was told of something below: an answer, a message read, a position seen. */
  promise({ kept = 0, synced = 0 }: { kept?: number; synced?: number }): void {
    this.kept = Math.max(this.kept, kept, synced)
    this.synced = Math.max(this.synced, synced)
  }

  losePower(): void {
    this.kept = this.synced
    this.isTorn = true
  }

  /** Recovery ended with this: from now on it stays. */
  settle({ minPosition, end }: { minPosition: number; end: number }): void {
    this.deleted = minPosition
    this.cut(end)
    this.kept = this.synced = end
    this.isTorn = false
  }

  /** The front of the log is no longer there. */
  forgetBelow(position: number): void {
    while (this.records.length > 0 && this.records[0]!.position < position) this.records.shift()
    for (const queue of this.queues) {
      for (let nth = 0; nth < queue.length; nth++) {
        if ((queue[nth]?.position ?? position) < position) queue[nth] = null
      }
    }
  }

  cut(end: number): void {
    for (const list of [this.records, ...this.queues]) {
      while ((list.at(-1)?.end ?? 0) > end) list.pop()
    }
  }
}

export function expect(holds: boolean, problem: string): void {
  if (!holds) throw new SimFailure(problem)
}
