import type { ReadStatus } from '../../store/pull-reader.ts'
import type { MessageFilter } from '../tag-filter.ts'

/** One queue, with its row in shared memory. */
export interface PopPlace {
  readonly topic: string
  readonly queueId: number
  readonly row: number
}

export interface PopRange {
  readonly offset: number
  readonly countMax: number
  readonly filter: MessageFilter
  /** Only what was stored then or later, in ms. */
  readonly since?: number
}

/** What was found in a queue from an offset on. */
export interface PopFound {
  readonly status: ReadStatus
  /** Where to go on. */
  readonly nextOffset: number
  readonly minOffset: number
  readonly maxOffset: number
  /** The messages as stored, one behind the other. */
  readonly bytes: Buffer
  /** Their offsets. */
  readonly offsets: readonly number[]
}

/** What POP sees of the store. */
export interface PopStore {
  /** Undefined: there is no such queue. */
  rowOf(topic: string, queueId: number): number | undefined
  min(row: number): number
  max(row: number): number
  /** The offset of the next message that is stored. */
  next(row: number): number
  /** Dispatch is to wake main when `max` moves. Read it again after this. */
  watch(row: number): void
  /** A promise when it must come from a disk: it rejects when it cannot be read. */
  read(place: PopPlace, range: PopRange): PopFound | Promise<PopFound>
  /** Messages of the topic below this position belong to one that was deleted. */
  deletedBelow(topic: string): number
}

export const ALL_MESSAGES: MessageFilter = { tags: null, sql: null }
