import { build, type Histogram } from 'hdr-histogram-js'
import { decodeReply } from './wire.ts'

/** Histogram steps per millisecond: tenths of a microsecond, since one in flight takes 20 to 50 µs. */
export const STEPS_PER_MS = 10_000
const HIGHEST = 60_000 * STEPS_PER_MS

export interface Failure {
  code: number
  count: number
  /** The remark of the first reply with this code. */
  remark: string | null
}

/** Response times up to 60 s, three digits. */
export function responseTimes(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
  })
}

/** What one run saw. `reset` forgets the warm-up. */
export class Recorder {
  /** From the intended send time (open loop), else from the real one. */
  readonly times = responseTimes()
  /** Open loop only: from the real send time, so that the generator's own lateness can be told apart. */
  readonly serviceTimes = responseTimes()
  requests = 0
  messages = 0
  /** Messages answered with success since the start: the warm-up counts. */
  acknowledged = 0
  bytes = 0
  /** Open loop: requests that left later than 5 ms after their time. */
  late = 0
  /** Replies to nothing we asked. */
  unexpected = 0
  readonly failures = new Map<number, Failure>()

  answered(elapsedMs: number, messages: number): void {
    recordMs(this.times, elapsedMs)
    this.requests++
    this.messages += messages
    this.acknowledged += messages
  }

  failed(code: number, frame: Buffer): void {
    const known = this.failures.get(code)
    if (known) known.count++
    else this.failures.set(code, { code, count: 1, remark: decodeReply(frame).remark })
  }

  reset(): void {
    this.times.reset()
    this.serviceTimes.reset()
    this.requests = this.messages = this.bytes = this.late = this.unexpected = 0
    this.failures.clear()
  }
}

/** Longer than the histogram can tell counts as its longest. */
export function recordMs(times: Histogram, elapsedMs: number): void {
  const steps = Math.round(elapsedMs * STEPS_PER_MS)
  times.recordValue(steps < HIGHEST ? steps : HIGHEST)
}
