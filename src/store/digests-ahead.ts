import {
  digestMemory,
  DigestRows,
  READ_ALONE,
  type ScanAnswer,
  type ScanAsk,
} from './scan-digest.ts'
import type { FoundDigest, SpanAsked } from './span-digest.ts'

export interface AheadOptions {
  /** Folder of the log, and the length of its files. */
  directory: string
  fileSize: number
  checkCrc: boolean
  hasLightQueues?: boolean
  /** Of delay levels 1, 2, …; Apache's default when absent. */
  delaysMs?: readonly number[]
  /** Bytes of the log that are read in one go; spans begin at multiples of it within their file. */
  spanLength: number
  /** Spans that are being read or wait to be taken: it bounds the memory. */
  spansMax: number
}

/** Has a span read elsewhere. */
export type ReadSpan = (asked: SpanAsked) => Promise<FoundDigest | null>

/** A span on its way. */
interface SpanAhead {
  asked: SpanAsked
  /** Never rejects. */
  found: Promise<FoundDigest | null>
}

/** Has the next spans of a log read ahead of one pass over it, and gives what was found in their order. */
export class DigestsAhead {
  readonly #options: AheadOptions
  readonly #read: ReadSpan
  readonly #onFailure: (error: unknown, asked: SpanAsked) => void
  readonly #free: SharedArrayBuffer[]
  #spans: SpanAhead[] = []
  /** Where the next span begins that nobody was asked for. */
  #next = 0
  readonly #reading = new Set<Promise<unknown>>()
  #isBroken = false

  constructor(
    options: AheadOptions,
    read: ReadSpan,
    onFailure: (error: unknown, asked: SpanAsked) => void,
  ) {
    this.#options = options
    this.#read = read
    this.#onFailure = onFailure
    const memories = { length: options.spansMax }
    this.#free = Array.from(memories, () => digestMemory(options.spanLength))
  }

  /** Of one pass: positions only grow. What the last answer gave is taken by now. */
  async answer({ position, end }: ScanAsk): Promise<ScanAnswer> {
    this.#dropBelow(position)
    this.#askAhead(position, end)
    const [span] = this.#spans
    if (span === undefined) return { digest: null, until: this.#endOfSpan(position) }
    const { from, to, memory } = span.asked
    if (from > position) return { digest: null, until: from }
    const found = await span.found
    if (this.#isBroken) return READ_ALONE
    if (found?.begin !== position) return { digest: null, until: to }
    return { digest: { ...found, rows: new DigestRows(memory) }, until: to }
  }

  /** Nobody reads any more. */
  async close(): Promise<void> {
    await Promise.all(this.#reading)
  }

  #dropBelow(position: number): void {
    while (this.#spans.length > 0 && this.#spans[0]!.asked.to <= position) {
      const { found, asked } = this.#spans.shift()!
      // It may still be read: a record longer than a span was passed.
      void found.then(() => this.#free.push(asked.memory))
    }
  }

  #askAhead(position: number, end: number): void {
    this.#next = Math.max(this.#next, position)
    while (this.#next < end && this.#free.length > 0) {
      const to = this.#endOfSpan(this.#next)
      this.#ask(this.#next, to, this.#free.pop()!)
      this.#next = to
    }
  }

  #ask(from: number, to: number, memory: SharedArrayBuffer): void {
    const { directory, fileSize, checkCrc, hasLightQueues, delaysMs } = this.#options
    const asked = { directory, fileSize, checkCrc, hasLightQueues, delaysMs, from, to, memory }
    const found = this.#read(asked).catch((error: unknown) => {
      if (!this.#isBroken) this.#onFailure(error, asked)
      this.#isBroken = true
      return null
    })
    this.#spans.push({ asked, found })
    this.#reading.add(found)
    void found.then(() => this.#reading.delete(found))
  }

  /** Never beyond the file's. */
  #endOfSpan(position: number): number {
    const { fileSize, spanLength } = this.#options
    const start = position - (position % fileSize)
    const inFile = position - start
    return start + Math.min(fileSize, inFile - (inFile % spanLength) + spanLength)
  }
}
