import { edits } from './mutation.ts'
import type { StoreMutation } from './store/store-mutation.ts'

const recovery = edits('src/store/recovery.ts')
const log = edits('src/store/log-recovery.ts')
const scan = edits('src/store/log-scan.ts')
const queues = edits('src/store/queue-recovery.ts')
const stop = edits('src/store/last-stop.ts')
const replace = edits('src/store/replace-file.ts')

/** What a start needs to find the same truth as the one before, whatever happened in between. */
export const RECOVERY_MUTATIONS: readonly StoreMutation[] = [
  {
    name: 'the tail of the log is not cut',
    edits: [log('this.#disk.truncate(descriptor, end - start)\n', '')],
  },
  {
    name: 'files behind the end of the log stay',
    edits: [
      log(
        'this.#disk.remove(this.#files.path(start))\n    this.#disk.syncDirectory',
        'this.#disk.syncDirectory',
      ),
    ],
  },
  {
    name: 'files behind the end of the log go from the front',
    edits: [log('this.#starts.toReversed()', '[...this.#starts]')],
  },
  {
    name: 'the removal of a file is not synced',
    edits: [
      log('this.#disk.syncDirectory(this.#files.directory)\n    return isUsed', 'return isUsed'),
    ],
  },
  {
    name: 'what was found is not synced',
    seed: 61,
    edits: [recovery('this.#log.sync(unflushed)\n', '')],
  },
  {
    name: 'what a failed sync has left is not written again',
    edits: [
      recovery(
        'if (isOurs) this.#log.rewrite(Math.max(confirmed, unflushed), end)\n',
        'void [isOurs, confirmed]\n',
      ),
    ],
  },
  {
    name: 'only what was flushed is written again',
    edits: [
      recovery(
        'Math.max(confirmed, unflushed), end)',
        'Math.max(confirmed, unflushed), confirmed)',
      ),
    ],
  },
  {
    name: 'the checksum of a body does not matter',
    seed: 279,
    edits: [
      scan(
        'return !this.#options.checkCrc || this.#hasGoodBody() ? kind : RecordKind.BAD',
        'return kind',
      ),
    ],
  },
  {
    name: 'a last file without its length is kept as it is',
    edits: [log('else if (size < this.#files.fileSize && !isClean) {', 'else if (size < 0) {')],
  },
  {
    name: 'entries of records that were cut stay, and count',
    edits: [
      recovery('      stale.drop(state)\n      known', '      known'),
      recovery(
        '      this.#queues.forgetAbove(state, first)\n      stale.drop(state)\n',
        '      this.#queues.forgetAbove(state, first)\n',
      ),
      queues('if (isLeft) this.cut(state, state.next)\n', 'void isLeft\n'),
    ],
  },
  {
    name: 'a queue file without its length is refused',
    seed: 129,
    edits: [queues('if (size < this.#place.fileSize && !this.#isClean) {', 'if (size < 0) {')],
  },
  {
    name: 'after a power failure the queues are believed',
    seed: 93,
    edits: [
      recovery(
        'return yield* this.#findEndByTime()',
        'return yield* this.#findEndByQueues(DISPATCH_LAG)',
      ),
    ],
  },
  {
    name: 'a lost machine counts as a killed process',
    seed: 145,
    edits: [
      stop(
        'const isOurs = disk.readFile(abort).toString().endsWith(markOf(boot))',
        'const isOurs = true',
      ),
    ],
  },
  {
    name: 'a clean stop counts although the machine was off since',
    seed: 207,
    edits: [stop('return stop.boot === boot', 'return stop.boot !== null')],
  },
  {
    name: 'a recovery is not marked before it changes anything',
    seed: 159,
    edits: [
      recovery(
        'beginRecovery(this.#disk, this.#options.root) // the store is one of ours, or we had thrown\n',
        'void beginRecovery\n',
      ),
    ],
  },
  {
    name: 'a file is replaced without a sync',
    edits: [replace('disk.fdatasync(descriptor)\n', '')],
  },
  {
    name: 'a record that is older than the one before it is believed',
    seed: 98344,
    edits: [scan('position >= timesGrowFrom && this', 'false && this')],
  },
]
