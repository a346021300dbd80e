import type { Unit } from './consume-queue.ts'
import type { LogFiles } from './log-files.ts'
import { isMultiDispatched, RecordKind, RecordParts, readRecord } from './log-record.ts'
import type { QueueRecovery, QueueState } from './queue-recovery.ts'

/** Longer records are taken for good: they are rare, and reading them is not cheap. */
const READ_MAX = 256 * 1024

/**
 * Apache leaves the bytes of entries that it cuts where they are; once the log has grown past their
 * positions they look valid. An entry counts only when the log has that very message where it says.
 */
export class StaleEntries {
  readonly #queues: QueueRecovery
  readonly #files: LogFiles
  readonly #starts: readonly number[]
  readonly #bytes = Buffer.alloc(READ_MAX)
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, READ_MAX)
  readonly #record = new RecordParts()

  constructor(queues: QueueRecovery, files: LogFiles, starts: readonly number[]) {
    this.#queues = queues
    this.#files = files
    this.#starts = starts
  }

  /** Drops them from the end of a queue. */
  drop(state: QueueState): void {
    let next = state.next
    while (next > 0 && this.#isStale(state, next - 1)) next--
    if (next < state.next) this.#queues.cut(state, next)
  }

  /** Store time of a queue's last message, ms; -1 when it is not where the queue says. */
  timeOfLast(state: QueueState): number {
    if (state.next === 0 || this.#isStale(state, state.next - 1)) return -1
    return this.#record.storeTimestamp
  }

  #isStale(state: QueueState, offset: number): boolean {
    const isLast = offset === state.next - 1
    const unit = isLast ? lastUnit(state) : this.#queues.unitAt(state, offset)
    if (unit === null) return false // stands for none, or its file is gone
    const { position, length } = unit
    const start = this.#files.startOfFile(position)
    if (start < this.#starts[0]!) return false // deleted since, and true before
    if (start > this.#starts.at(-1)!) return true
    if (length > READ_MAX) return false
    const read = this.#files.read(position, length, this.#bytes, 0)
    const kind = readRecord(this.#record, this.#view, 0, read)
    if (kind !== RecordKind.MESSAGE || this.#record.length !== length) return true
    if (this.#record.position !== position) return true
    return !this.#isOf(state, offset) && !isMultiDispatched(this.#view, this.#record)
  }

  #isOf({ topic, queueId }: QueueState, offset: number): boolean {
    const { topicAt, topicLength, queueId: itsQueue, queueOffset } = this.#record
    if (itsQueue !== queueId || queueOffset !== offset) return false
    return this.#bytes.toString('utf8', topicAt, topicAt + topicLength) === topic
  }
}

/** Read when the queue was loaded. */
function lastUnit({
  lastPosition: position,
  maxPosition,
}: QueueState): Omit<Unit, 'tagsCode'> | null {
  return maxPosition === 0 ? null : { position, length: maxPosition - position }
}
