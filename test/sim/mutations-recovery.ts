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
    name: 'entries of records beyond the end stay',
    edits: [
      queues(
        'this.forgetAbove(state, end)\n    if (!state.isChanged) return\n',
        'void end\n    if (!state.isChanged) return\n',
      ),
    ],
  },
  {
    name: 'entries are forgotten and left in the files',
    edits: [queues('if (isLeft) this.cut(state, state.next)\n', 'void isLeft\n')],
  },
  {
    name: 'the tail of a queue is not cut',
    edits: [
      queues('this.#disk.truncate(descriptor, (next % this.#unitsPerFile) * UNIT_LENGTH)\n', ''),
    ],
  },
  {
    name: 'stale entries count',
    edits: [
      recovery('      stale.drop(state)\n      known', '      known'),
      recovery(
        '      this.#queues.forgetAbove(state, first)\n      stale.drop(state)\n',
        '      this.#queues.forgetAbove(state, first)\n',
      ),
    ],
  },
  {
    name: 'a last queue file without any byte is kept',
    edits: [
      queues(
        'if (starts.length > 0 && this.#isUnmade(directory, starts.at(-1)!)) starts.pop()\n',
        '',
      ),
    ],
  },
  {
    name: 'a queue file without its length is refused',
    edits: [queues('if (size < this.#place.fileSize && !this.#isClean) {', 'if (size < 0) {')],
  },
  {
    name: 'after a kill the newest entry is believed to be the last one missing',
    seed: 6537,
    edits: [
      recovery('return this.#findEndByQueues(DISPATCH_LAG)', 'return this.#findEndByQueues(1)'),
    ],
  },
  {
    name: 'after a power failure the queues are believed',
    edits: [recovery('return this.#findEndByTime()', 'return this.#findEndByQueues(DISPATCH_LAG)')],
  },
  {
    name: 'a lost machine counts as a killed process',
    edits: [
      stop(
        'const isOurs = disk.readFile(abort).toString().endsWith(markOf(boot))',
        'const isOurs = true',
      ),
    ],
  },
  {
    name: 'a clean stop counts although the machine was off since',
    edits: [stop('return stop.boot === boot', 'return stop.boot !== null')],
  },
  {
    name: 'a recovery is not marked before it changes anything',
    edits: [
      recovery(
        'beginRecovery(this.#disk, this.#options.root) // the store is one of ours, or we had thrown\n',
        'void beginRecovery\n',
      ),
    ],
  },
  {
    name: 'a run is not marked',
    edits: [
      stop(
        'replaceFile(disk, join(root, ABORT_FILE), Buffer.from(process.pid + markOf(boot)))\n',
        '',
      ),
    ],
  },
  {
    name: 'a file is replaced without a sync',
    edits: [replace('disk.fdatasync(descriptor)\n', '')],
  },
  {
    name: 'the name of a replaced file is not synced',
    edits: [replace('disk.syncDirectory(dirname(path))\n', '')],
  },
]
