import type { Disk } from '../base/disk.ts'
import { Part, type Findings } from './finding.ts'
import { IndexCursor } from './index-cursor.ts'
import type { RecordAsked } from './queue-match.ts'
import { indexHashes } from './record-text.ts'
import type { StoreMap } from './store-map.ts'
import type { Span } from '../store/log-scan.ts'

/** Walks the index beside the log: both are in the same order. */
export class IndexMatch {
  /** Records that lie before or behind what the index speaks of. */
  uncovered = 0
  items = 0
  readonly #findings: Findings
  readonly #cursor: IndexCursor
  readonly #covered: { from: number; to: number }

  constructor(disk: Disk, map: StoreMap, findings: Findings) {
    this.#findings = findings
    this.#cursor = new IndexCursor(disk, map.root, map.indexFiles)
    this.#covered = this.#cursor.covered
  }

  begin(position: number): void {
    this.#cursor.seek(position)
  }

  take({ topic, position, record, properties }: RecordAsked, damage: readonly Span[]): void {
    this.#passBefore(position, damage)
    const hashes = indexHashes(topic, record.sysFlag, properties)
    const found = this.#itemsOf(position, record.storeTimestamp)
    if (hashes.length === 0 && found.length === 0) return
    if (position < this.#covered.from || position > this.#covered.to) {
      this.uncovered++
      return
    }
    const where = { position, topic, queueId: record.queueId, offset: record.queueOffset }
    if (hashes.some((hash) => !found.includes(hash))) {
      const text = 'not all keys of the message are in the index'
      this.#findings.add({ part: Part.INDEX, file: 'index', ...where, text })
    }
    if (found.some((hash) => !hashes.includes(hash))) {
      const text = 'the index has a key of the message that it does not have'
      this.#findings.add({ part: Part.INDEX, file: 'index', ...where, text })
    }
  }

  /** What of the index lies below the end of this part of the log stands for no message. */
  end(position: number, damage: readonly Span[]): void {
    this.#passBefore(position, damage)
    this.#cursor.closeAll()
  }

  /** Hashes of the items that point to this record. */
  #itemsOf(position: number, storeTimestamp: number): number[] {
    const hashes: number[] = []
    for (let item = this.#cursor.peek(); item?.position === position; item = this.#cursor.peek()) {
      hashes.push(item.hash)
      this.#checkTime(item.seconds, storeTimestamp, position)
      this.items++
      this.#cursor.next()
    }
    return hashes
  }

  /** The first item of a file may be counted from the file before (Apache 5.3.3, IndexFile). */
  #checkTime(seconds: number, storeTimestamp: number, position: number): void {
    const { name, nth } = this.#cursor.place
    if (nth === 1) return
    const difference = Math.trunc((storeTimestamp - this.#cursor.beginTimestamp) / 1000)
    if (seconds === Math.min(Math.max(0, difference), 0x7fffffff)) return
    const text = `item ${nth} is ${seconds} s behind the file's begin, its message ${difference} s`
    this.#findings.add({ part: Part.INDEX, file: `index/${name}`, position, text })
  }

  /** One that is out of order: the items behind it go on where we are. */
  #isAstray(at: number, position: number): boolean {
    if (at === position) return false
    const after = this.#cursor.peekAfter()
    return after !== null && after.position <= position
  }

  #passBefore(position: number, damage: readonly Span[]): void {
    for (let item = this.#cursor.peek(); item !== null; item = this.#cursor.peek()) {
      const at = item.position
      if (at >= position && !this.#isAstray(at, position)) return
      const isLost = damage.some(({ from, to }) => at >= from && at < to)
      if (!isLost) {
        const { name, nth } = this.#cursor.place
        const text = `item ${nth} points to ${at}, where no message begins`
        this.#findings.add({ part: Part.INDEX, file: `index/${name}`, position: at, text })
      }
      this.#cursor.next()
    }
  }
}
