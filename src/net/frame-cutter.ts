import { FRAME_LENGTH_MAX, FrameError, frameLengthAt, PREFIX_LENGTH } from '../protocol/frame.ts'

/** Apache's header length is any uint24; the longest honest header is a few hundred kilobytes. */
export const HEADER_LENGTH_MAX = 1024 * 1024

const HEADER_WORD_LENGTH = 4
/** Length prefix and header word: no frame is shorter, and from here on it can be judged. */
const JUDGED_LENGTH = PREFIX_LENGTH + HEADER_WORD_LENGTH
const KEPT_LENGTH_MIN = 256

/** Takes frames. `bytes[start, end)` excludes the length prefix and is valid only during the call. */
export interface FrameSink {
  onFrame(bytes: Buffer, start: number, end: number): void
}

/** Bytes that may be allocated for incomplete frames, over all connections that share it. */
export class Allowance {
  readonly max: number
  #used = 0

  constructor(max: number) {
    this.max = max
  }

  get used(): number {
    return this.#used
  }

  take(length: number): boolean {
    if (this.#used + length > this.max) return false
    this.#used += length
    return true
  }

  giveBack(length: number): void {
    this.#used -= length
  }
}

/**
 * Cuts one connection's bytes into frames, in place: whole frames are handed out as ranges of the
 * chunk they arrived in. Only what is left of a chunk is copied, into a buffer that lives until its
 * frame is complete and grows as bytes arrive, never by the length that a frame claims to have.
 */
export class FrameCutter {
  readonly #sink: FrameSink
  readonly #allowance: Allowance
  #kept: Buffer | null = null
  #keptLength = 0
  #keptSince = 0
  #cutting = false
  #paused = false
  #closed = false

  constructor(sink: FrameSink, allowance: Allowance) {
    this.#sink = sink
    this.#allowance = allowance
  }

  /** When the oldest byte of an incomplete frame arrived; 0 when there is none, or none is wanted. */
  get waitingSince(): number {
    return this.#paused ? 0 : this.#keptSince
  }

  /**
   * Takes `bytes[0, length)`, which are the caller's again when it returns. `now` in ms.
   * Throws FrameError on bytes that are no frame, and when too much is incomplete already.
   */
  feed(bytes: Buffer, length: number, now: number): void {
    this.#cutting = true
    let at = this.#kept === null || this.#paused ? 0 : this.#complete(bytes, length)
    at = this.#cut(bytes, at, length)
    if (at < length && !this.#closed) this.#keep(bytes, at, length, now)
    this.#cutting = false
  }

  /** No frame is handed out from here on, not even those that have arrived already. */
  pause(): void {
    this.#paused = true
  }

  /** Hands out what arrived before the pause, at once. Throws as `feed` does. */
  resume(now: number): void {
    if (this.#closed) return
    this.#paused = false
    if (this.#kept === null || this.#cutting) return // within onFrame: the loop around it goes on
    this.#keptSince = now
    if (this.#missing() > 0) return
    const kept = this.#kept
    const length = this.#keptLength
    this.#forget()
    this.feed(kept, length, now)
  }

  /** Hands out nothing more and lets go of what it kept. */
  close(): void {
    this.#closed = true
    this.#paused = true
    this.#forget()
  }

  #cut(bytes: Buffer, from: number, to: number): number {
    let at = from
    while (!this.#paused && to - at >= JUDGED_LENGTH) {
      const end = frameEnd(bytes, at)
      if (end > to) break
      this.#sink.onFrame(bytes, at + PREFIX_LENGTH, end)
      at = end
    }
    return at
  }

  /** Adds to the kept frame only what it lacks. Returns how much of `bytes` that was. */
  #complete(bytes: Buffer, length: number): number {
    let at = 0
    let missing = this.#missing()
    while (missing > 0 && at < length) {
      const end = Math.min(at + missing, length)
      this.#append(bytes, at, end)
      at = end
      missing = this.#missing()
    }
    if (missing > 0) return at
    const frame = this.#kept!
    const end = this.#keptLength
    this.#forget()
    this.#sink.onFrame(frame, PREFIX_LENGTH, end)
    return at
  }

  /** Bytes until the kept frame is whole, or until it can be judged. */
  #missing(): number {
    if (this.#keptLength < JUDGED_LENGTH) return JUDGED_LENGTH - this.#keptLength
    return frameEnd(this.#kept!, 0) - this.#keptLength
  }

  #keep(bytes: Buffer, from: number, to: number, now: number): void {
    if (this.#kept === null) this.#keptSince = now
    this.#append(bytes, from, to)
    if (this.#keptLength >= PREFIX_LENGTH) frameLengthAt(this.#kept!, 0) // a lie is seen early
  }

  #append(bytes: Buffer, from: number, to: number): void {
    const length = this.#keptLength + to - from
    if (this.#kept === null || this.#kept.length < length) this.#grow(length)
    bytes.copy(this.#kept!, this.#keptLength, from, to)
    this.#keptLength = length
  }

  #grow(needed: number): void {
    const held = this.#kept?.length ?? 0
    const doubled = Math.min(held * 2, FRAME_LENGTH_MAX)
    const length = Math.max(needed, doubled, KEPT_LENGTH_MIN)
    if (!this.#allowance.take(length)) {
      throw new FrameError(`more than ${this.#allowance.max} bytes in incomplete frames`)
    }
    const grown = Buffer.allocUnsafe(length)
    this.#kept?.copy(grown, 0, 0, this.#keptLength)
    this.#allowance.giveBack(held)
    this.#kept = grown
  }

  #forget(): void {
    this.#allowance.giveBack(this.#kept?.length ?? 0)
    this.#kept = null
    this.#keptLength = 0
    this.#keptSince = 0
  }
}

/** End of the frame whose length prefix is at `start`. Throws FrameError when its head cannot be one. */
function frameEnd(bytes: Buffer, start: number): number {
  const length = frameLengthAt(bytes, start)
  const word = start + PREFIX_LENGTH
  const header = (bytes[word + 1]! << 16) | (bytes[word + 2]! << 8) | bytes[word + 3]!
  if (bytes[word]! > 1) throw new FrameError(`serialize type ${bytes[word]}: allowed are 0 and 1`)
  if (header > Math.min(length - HEADER_WORD_LENGTH, HEADER_LENGTH_MAX)) {
    throw new FrameError(`header length ${header} in a frame of ${length}`)
  }
  return word + length
}
