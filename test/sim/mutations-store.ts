import { edits } from './mutation.ts'
import type { StoreMutation } from './store/store-mutation.ts'

const gates = edits('src/broker/gated-replies.ts')
const writer = edits('src/store/log-writer.ts')
const appender = edits('src/store/log-appender.ts')
const flush = edits('src/store/flush-agent.ts')
const dispatch = edits('src/store/dispatch-agent.ts')
const files = edits('src/store/log-files.ts')

/** What the promises of a running store need: gates, fences, and the order of things. */
export const RUNNING_MUTATIONS: readonly StoreMutation[] = [
  {
    name: 'an answer leaves whatever its gate says',
    edits: [gates('&& this.#positions[this.#head]! <= gate', '&& gate >= 0')],
  },
  {
    name: 'an answer leaves when its record begins below the gate',
    edits: [
      gates('this.#positions[this.#head]! <= gate', 'this.#positions[this.#head]! <= gate + 300'),
    ],
  },
  {
    name: 'written moves before the bytes are in the file',
    edits: [
      writer('if (!this.#writePiece(position, pieceEnd)) return false\n', ''),
      writer(
        'this.#shared.written.publish(pieceEnd)\n',
        'this.#shared.written.publish(pieceEnd)\n      if (!this.#writePiece(position, pieceEnd)) return false\n',
      ),
    ],
  },
  {
    name: 'a write that failed counts as done',
    seed: 22,
    edits: [
      writer('this.#onError(error)\n      return false', 'this.#onError(error)\n      return true'),
    ],
  },
  {
    name: 'a write that failed is no reason for a fence',
    seed: 22,
    edits: [
      writer(
        'isPassing(error) ? Fault.NO_SPACE : Fault.FENCED',
        'isPassing(error) ? Fault.NO_SPACE : Fault.NONE',
      ),
    ],
  },
  {
    name: 'a fence does not stop writes',
    edits: [writer('if (this.#shared.fault() === Fault.FENCED) return false\n', '')],
  },
  {
    name: 'writes do not lock',
    edits: [
      writer('this.#shared.writeLock.acquire()\n', ''),
      writer('this.#shared.writeLock.release()\n', ''),
    ],
  },
  {
    name: 'a sync that failed counts as done',
    edits: [
      flush(
        'this.#shared.wakeWaiting()\n      return false',
        'this.#shared.wakeWaiting()\n      return true',
      ),
    ],
  },
  {
    name: 'a sync that failed is no reason for a fence',
    seed: 56,
    edits: [
      flush(
        'isOutOfDescriptors(error) ? Fault.NO_SPACE : Fault.FENCED',
        'isOutOfDescriptors(error) ? Fault.NO_SPACE : Fault.NONE',
      ),
    ],
  },
  {
    name: 'a fence does not stop syncs',
    seed: 56,
    edits: [
      flush(
        'return !isFenced && this.#shared.flushed.value()',
        'void isFenced\n    return this.#shared.flushed.value()',
      ),
    ],
  },
  {
    name: 'flushed moves before the sync',
    edits: [
      flush(
        'if (!this.#sync(end)) return 0\n    this.#shared.flushed.publish(end)\n',
        'this.#shared.flushed.publish(end)\n    if (!this.#sync(end)) return 0\n',
      ),
    ],
  },
  {
    name: 'flushed moves to what was written meanwhile',
    seed: 34,
    edits: [
      flush(
        'this.#shared.flushed.publish(end)',
        'this.#shared.flushed.publish(this.#shared.written.value())',
      ),
    ],
  },
  {
    name: 'of several files only the last is synced',
    edits: [
      flush(
        'for (let at = this.#shared.flushed.value(); at < end;',
        'for (let at = Math.max(this.#shared.flushed.value(), end - 1); at < end;',
      ),
    ],
  },
  {
    name: 'appends do not lock',
    edits: [
      appender('this.#shared.appendLock.acquire()\n', ''),
      appender('this.#shared.appendLock.release()\n', ''),
    ],
  },
  {
    name: 'the next queue offset is not published',
    edits: [
      appender('shared.rows.publishNext(source.row, source.queueOffset + source.count)\n', ''),
    ],
  },
  {
    name: 'appended moves before the record is encoded',
    seed: 63,
    edits: [
      appender(
        'source.encodeInto(this.#window, index)',
        'shared.appended.publish(position + source.length)\n    source.encodeInto(this.#window, index)',
      ),
    ],
  },
  {
    name: 'max moves before the entries are in the file',
    edits: [
      dispatch(
        'let workers = 0\n    for (const tail of this.#touched) tail.flush()\n',
        'let workers = 0\n',
      ),
      dispatch(
        'if (waiters !== 0) this.#markDirty',
        'tail.flush()\n      if (waiters !== 0) this.#markDirty',
      ),
    ],
  },
  {
    name: 'the name of a new log file is not synced',
    edits: [files('this.#disk.syncDirectory(this.directory)\n', '')],
  },
  {
    name: 'the length of a new log file is not synced',
    edits: [
      files(
        'this.#disk.fdatasync(descriptor) // its length: a later file must not be there without it\n',
        '',
      ),
    ],
  },
]
