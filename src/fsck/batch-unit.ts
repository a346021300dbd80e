import { readSafeInt64 } from '../base/bytes.ts'

/** One entry of a queue of the batch kind (Apache 5.3.3, BatchConsumeQueue). */
export const BATCH_UNIT_LENGTH = 46

export interface BatchUnit {
  position: number
  length: number
  /** Offset of the first message in it, and how many there are. */
  base: number
  count: number
}

/** Null where there is none. */
export function readBatchUnit(view: DataView, at: number): BatchUnit | null {
  const unit = {
    position: readSafeInt64(view, at),
    length: view.getInt32(at + 8),
    // tags code and store time, which nothing is held against
    base: readSafeInt64(view, at + 28),
    count: view.getInt16(at + 36),
  }
  const { position, length, base, count } = unit
  return position >= 0 && length > 0 && base >= 0 && count > 0 ? unit : null
}
