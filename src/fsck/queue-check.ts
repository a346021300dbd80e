import { join } from 'node:path'
import { viewOf } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'
import { PRE_BLANK_LENGTH, UNIT_LENGTH, readUnit, type Unit } from '../store/consume-queue.ts'
import { logFileName } from '../store/log-files.ts'
import { Findings, Part, type FoundSome } from './finding.ts'
import type { Misnamed } from './misnamed.ts'
import { shownPath, type QueueFiles, type StoreMap } from './store-map.ts'
import { UnitProof } from './unit-proof.ts'

const READ_UNITS = 50_000

export interface QueueAsked {
  queue: QueueFiles
  /** Entries of it that records of the log agree with. */
  matched: number
  /** The part of the log that has records. */
  minPosition: number
  end: number
}

export interface QueueChecked {
  units: number
  /** Messages that entries lead to and that say they are others. */
  misnamed: Misnamed[]
  found: FoundSome
}

/**
 * One queue, entry by entry. When as many entries point into the log as records agree with theirs, all
 * of them are right: no two records can agree with one entry. Else each is held against its record.
 */
export class QueueCheck {
  readonly #disk: Disk
  readonly #map: StoreMap
  readonly #asked: QueueAsked
  readonly #findings = new Findings()
  readonly #bytes = Buffer.allocUnsafe(READ_UNITS * UNIT_LENGTH)
  readonly #view = viewOf(this.#bytes)
  readonly #unit: Unit = { position: 0, length: 0, tagsCode: 0 }
  readonly #misnamed: Misnamed[] = []
  #isForeign = false
  #units = 0
  /** Entries of messages that are still in the log, or should be. */
  #present = 0
  #lastPosition = -1
  #isOrdered = true
  #isEnded = false

  constructor(disk: Disk, map: StoreMap, asked: QueueAsked) {
    this.#disk = disk
    this.#map = map
    this.#asked = asked
  }

  run(): QueueChecked {
    this.#checkFiles()
    this.#walk((offset) => this.#count(offset))
    if (this.#present !== this.#asked.matched || !this.#isOrdered) this.#prove()
    return { units: this.#units, misnamed: this.#misnamed, found: this.#findings.found() }
  }

  #checkFiles(): void {
    const { starts, fileSize, directory } = this.#asked.queue
    for (const [nth, start] of starts.entries()) {
      const path = join(directory, logFileName(start))
      const descriptor = this.#disk.openRead(path)
      const size = this.#disk.size(descriptor)
      this.#disk.close(descriptor)
      const isUnmade = size === 0 && start === starts.at(-1)
      if (size !== fileSize && !isUnmade) {
        this.#tell(
          undefined,
          `the file has ${size} bytes, those of other queues ${fileSize}`,
          start,
        )
      }
      const expected = nth === 0 ? start - (start % fileSize) : starts[nth - 1]! + fileSize
      if (start !== expected) this.#tell(undefined, 'a file before this one is missing', start)
    }
  }

  /** Every entry with bytes in it, until the queue ends; what stands behind its end is told. */
  #walk(visit: (offset: number) => void): void {
    this.#isEnded = false
    for (const start of this.#asked.queue.starts) this.#walkFile(start, visit)
  }

  #walkFile(start: number, visit: (offset: number) => void): void {
    const { directory, fileSize } = this.#asked.queue
    const descriptor = this.#disk.openRead(join(directory, logFileName(start)))
    for (let at = 0; at < fileSize;) {
      const length = Math.min(this.#bytes.length, fileSize - at)
      const span = { buffer: this.#bytes, offset: 0, length, position: at }
      const count = Math.floor(this.#disk.pread(descriptor, span) / UNIT_LENGTH)
      if (count === 0) break
      for (let nth = 0; nth < count; nth++) {
        if (this.#isUsed(nth)) visit((start + at) / UNIT_LENGTH + nth)
        else this.#isEnded = true
      }
      at += count * UNIT_LENGTH
    }
    this.#disk.close(descriptor)
  }

  /** Fills `#unit`; false where nothing but zeros stands. */
  #isUsed(nth: number): boolean {
    const at = nth * UNIT_LENGTH
    readUnit(this.#unit, this.#view, at)
    const { position, length, tagsCode } = this.#unit
    return position !== 0 || length !== 0 || tagsCode !== 0
  }

  #count(offset: number): void {
    const { position, length } = this.#unit
    if (this.#isEnded) {
      this.#isEnded = false // told once for each gap
      this.#tell(offset, 'an entry behind ones that are missing')
    }
    this.#units++
    if (length === PRE_BLANK_LENGTH) return
    if (position < this.#asked.minPosition && position >= 0 && length > 0) return
    this.#present++
    if (position <= this.#lastPosition) this.#isOrdered = false
    this.#lastPosition = position
  }

  /** Finds out which entries are wrong. */
  #prove(): void {
    const { queue, minPosition, end } = this.#asked
    const proof = new UnitProof(this.#disk, this.#map.log, queue)
    let [last, lastWhole] = [-1, -1]
    this.#walk((offset) => {
      const { position, length } = this.#unit
      if (length === PRE_BLANK_LENGTH) return
      if (position >= 0 && position < minPosition && length > 0) return
      const fault = position >= end ? 'behind the end of the log' : proof.fault(this.#unit, offset)
      const isWhole = position < end && (fault === null || proof.isOther)
      if (isWhole) this.#tellSwapped(position)
      if (fault !== null && isWhole && position > lastWhole && !proof.isClaimed()) {
        const { topic, queueId } = queue
        this.#addMisnamed({ position, topic, queueId, offset, says: proof.whose() })
      } else if (fault !== null) this.#tell(offset, `the entry points to ${position}, ${fault}`)
      else if (position <= last) this.#tell(offset, 'the entry points before the one before it')
      last = position
      if (isWhole) lastWhole = position
    })
    proof.close()
    if (this.#findings.total + this.#misnamed.length > 0) return
    const text = `${this.#present} entries, and ${this.#asked.matched} messages of the log agree with theirs`
    this.#tell(undefined, text)
  }

  /** Entries whose messages stand the other way round: they were exchanged, not their messages. */
  #tellSwapped(position: number): void {
    const before = this.#misnamed.at(-1)
    if (before === undefined || before.position < position) return
    this.#misnamed.pop()
    this.#tellWrong(before)
  }

  /** A queue with more of them than of others has the entries of another queue: it is wrong, not they. */
  #addMisnamed(misnamed: Misnamed): void {
    this.#misnamed.push(misnamed)
    this.#isForeign ||= this.#misnamed.length > Math.max(1, this.#asked.matched)
    if (!this.#isForeign) return
    for (const each of this.#misnamed.splice(0)) this.#tellWrong(each)
  }

  #tellWrong({ offset, position, says }: Misnamed): void {
    this.#tell(offset, `the entry points to ${position}, where ${says} stands`)
  }

  #tell(offset: number | undefined, text: string, fileStart?: number): void {
    const { topic, queueId, directory, fileSize } = this.#asked.queue
    const at = offset === undefined ? (fileStart ?? -1) : offset * UNIT_LENGTH
    const path = at < 0 ? directory : join(directory, logFileName(at - (at % fileSize)))
    const file = shownPath(this.#map.root, path)
    this.#findings.add({
      part: Part.QUEUE,
      file,
      topic,
      queueId,
      ...(offset !== undefined && { offset }),
      text,
    })
  }
}
