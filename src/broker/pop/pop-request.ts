import type { MessageFilter } from '../tag-filter.ts'

/** Three days: Apache's timer takes none that are longer (`timerMaxDelaySec`). */
export const INVISIBLE_MAX_MS = 3 * 24 * 3600 * 1000

/** A pop that was checked. */
export interface PopRequest {
  readonly group: string
  readonly topic: string
  /** -1: any. */
  readonly queueId: number
  readonly countMax: number
  readonly invisibleTime: number
  readonly initMode: number
  readonly isOrder: boolean
  readonly attemptId: string | undefined
  readonly filter: MessageFilter
}

/** What a pop has taken so far. */
export interface Taken {
  popTime: number
  reviveQueueId: number
  /** Messages as they are sent. */
  readonly parts: Buffer[]
  count: number
  /** Messages that are left in the queues that were looked at. */
  restNum: number
  readonly startOffsets: string[]
  readonly messageOffsets: string[]
  readonly orderCounts: string[]
  /** All of it is safe when these have resolved. */
  readonly survived: Promise<unknown>[]
  /** When a queue that is blocked now is free; Infinity when none is blocked. */
  freeMs: number
  /** Messages were left that nobody is to be waited for. */
  isMore: boolean
}
