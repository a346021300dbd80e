import { join } from 'node:path'
import { readCheckpoint } from '../store/checkpoint.ts'
import { readStopFile, STOP_FILE } from '../store/last-stop.ts'
import { logFileName } from '../store/log-files.ts'
import { Part, type Findings } from './finding.ts'
import { readOnlyDisk } from './read-only-disk.ts'
import type { SegmentChecked } from './segment-check.ts'
import { shownPath, type StoreMap } from './store-map.ts'
import { sumOf } from './tally.ts'

/** The log as a whole. */
export interface LogJudged {
  minPosition: number
  end: number
  records: number
  bytes: number
  items: number
  lastTimestamp: number
  /** Right entries by queue. */
  matched: Map<string, number>
  /** Without the messages at these positions: they are damaged. */
  notes: (damaged: ReadonlySet<number>) => string[]
}

/** Puts together what its files said: where the log ends, and what of it is damaged. */
export function judgeLog(
  map: StoreMap,
  segments: readonly SegmentChecked[],
  findings: Findings,
): LogJudged {
  const judge = new Judge(map, segments, findings)
  return judge.run()
}

class Judge {
  readonly #map: StoreMap
  readonly #segments: readonly SegmentChecked[]
  readonly #findings: Findings
  readonly #last: SegmentChecked | undefined

  constructor(map: StoreMap, segments: readonly SegmentChecked[], findings: Findings) {
    this.#map = map
    this.#segments = segments
    this.#findings = findings
    this.#last = segments.findLast(({ records, tailFrom }) => records > 0 || tailFrom !== -1)
  }

  run(): LogJudged {
    this.#checkFiles()
    for (const segment of this.#segments) this.#tellDamage(segment)
    const end = this.#last?.end ?? this.#map.log.starts[0] ?? 0
    this.#checkStop(end)
    const sum = (value: (segment: SegmentChecked) => number) =>
      this.#segments.reduce((total, segment) => total + value(segment), 0)
    return {
      minPosition: this.#map.log.starts[0] ?? 0,
      end,
      records: sum(({ records }) => records),
      bytes: sum(({ bytes }) => bytes),
      items: sum(({ items }) => items),
      lastTimestamp: this.#lastTimestamp(),
      matched: this.#matched(),
      notes: (damaged) => this.#notes(damaged),
    }
  }

  #checkFiles(): void {
    const { starts, fileSize, directory } = this.#map.log
    for (const [nth, start] of starts.entries()) {
      const path = join(directory, logFileName(start))
      const descriptor = readOnlyDisk.openRead(path)
      const size = readOnlyDisk.size(descriptor)
      readOnlyDisk.close(descriptor)
      const isUnmade = size === 0 && start === starts.at(-1)
      if (size !== fileSize && !isUnmade) {
        this.#tell(start, `the file has ${size} bytes, the others ${fileSize}`)
      }
      const expected = nth === 0 ? start : starts[nth - 1]! + fileSize
      if (start !== expected) this.#tell(start, 'a file before this one is missing')
    }
  }

  #tellDamage({ start, end, damage, tailFrom }: SegmentChecked): void {
    for (const { from, to } of damage) {
      this.#tell(from, `${to - from} bytes are damaged; the next good message is at ${to}`)
    }
    const isLast = start === this.#last?.start
    const fileEnd = start + this.#map.log.fileSize
    if (isLast) this.#tellTail(end, tailFrom)
    else if (end < fileEnd && start < (this.#last?.start ?? -1)) {
      this.#tell(end, `${fileEnd - end} bytes up to the end of the file hold no messages`)
    }
  }

  /** What was flushed once is damaged; what was not may be torn, and a start cuts it off. */
  #tellTail(end: number, tailFrom: number): void {
    if (tailFrom === -1) return
    const wasFlushed =
      !this.#map.isAborted ||
      this.#lastTimestamp() < readCheckpoint(readOnlyDisk, this.#map.root).physic
    const what = wasFlushed
      ? 'the last messages are damaged'
      : 'a torn message, which the next start cuts off'
    this.#tell(end, `${what}: bytes from ${tailFrom} on`)
  }

  /** Our own last stop says where the log ended; Apache may have written to it since. */
  #checkStop(end: number): void {
    const { root, isAborted } = this.#map
    if (isAborted || !readOnlyDisk.exists(join(root, STOP_FILE))) return
    const stop = readStopFile(readOnlyDisk, root)
    if (stop === null) {
      const text = 'cannot be read; the next start takes longer'
      this.#findings.add({ part: Part.CHECKPOINT, file: STOP_FILE, text })
    } else if (stop.end > end) {
      this.#tell(end, `the log ends here, and ended at ${stop.end} at the last clean stop`)
    }
  }

  #lastTimestamp(): number {
    return this.#segments.findLast(({ records }) => records > 0)?.lastTimestamp ?? 0
  }

  #matched(): Map<string, number> {
    const matched = new Map<string, number>()
    for (const segment of this.#segments) {
      for (const [key, count] of segment.matched) matched.set(key, (matched.get(key) ?? 0) + count)
    }
    return matched
  }

  #notes(damaged: ReadonlySet<number>): string[] {
    const segments = this.#segments
    const deleted = sumOf(
      segments.map((segment) => segment.deleted),
      damaged,
    )
    const behind = sumOf(
      segments.map((segment) => segment.behind),
      damaged,
    )
    const uncovered = segments.reduce((total, segment) => total + segment.uncovered, 0)
    const notes: string[] = []
    if (this.#map.isAborted) notes.push('the last stop was not clean: a start recovers the store')
    if (deleted > 0) notes.push(`${deleted} messages of topics that were deleted`)
    if (behind > 0) notes.push(`${behind} messages without entry, which a start makes`)
    if (uncovered > 0) notes.push(`${uncovered} messages that the index does not cover`)
    return notes
  }

  #tell(position: number, text: string): void {
    const { directory, fileSize, starts } = this.#map.log
    const start = starts.findLast((each) => each <= position) ?? position - (position % fileSize)
    const file = shownPath(this.#map.root, join(directory, logFileName(start)))
    this.#findings.add({ part: Part.LOG, file, position, text })
  }
}
