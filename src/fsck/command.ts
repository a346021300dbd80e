import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { checkStore, FsckError } from './fsck.ts'
import { openProgress } from './progress.ts'
import { repairStore } from './repair.ts'
import { FsckExit, repairLines, reportLines } from './report.ts'
import { StoreError } from '../store/log-files.ts'
import { StoreLock } from '../store/store-lock.ts'

export interface FsckArguments {
  root: string
  repair: boolean
  json: boolean
  jobs: number
  /** The broker's messageDelayLevel; null when it has Apache's default. */
  delayLevels: string | null
}

export const USAGE = `usage: ringmq fsck DIR [--repair] [--delay-levels LEVELS] [--json] [--jobs N]
  DIR        the store: what the broker has as storePathRootDir
  --repair   makes queues, index, manifests and checkpoint anew where they are wrong; never touches the log
  --delay-levels  the messageDelayLevel of its broker, when that is not the default: a repair then gives
             delayed messages their times by it
  --json     one JSON object instead of lines
  --jobs N   threads, normally one for each core`

const LEVELS = { 'delay-levels': { type: 'string' } } as const

/** Null when the command line cannot be understood. */
export function parseFsck(argv: readonly string[]): FsckArguments | null {
  const repair = { type: 'boolean', default: false } as const
  const options = { repair, json: repair, jobs: { type: 'string' }, ...LEVELS } as const
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true })
    const jobs = Number(values.jobs ?? availableParallelism())
    const [root] = positionals
    const isRight = root !== undefined && positionals.length === 1
    if (!isRight || !Number.isInteger(jobs) || jobs < 1 || jobs > 64) return null
    const delayLevels = values['delay-levels'] ?? null
    return { root: resolve(root), repair: values.repair, json: values.json, jobs, delayLevels }
  } catch {
    return null // an option that there is none of
  }
}

/** Prints what it finds; returns the exit code. `delaysMs`: of delay levels 1, 2, …; Apache's default without. */
export async function runFsck(
  given: FsckArguments,
  print: (line: string) => void,
  delaysMs?: readonly number[],
): Promise<number> {
  try {
    const release = await lock(given)
    try {
      return await check(given, print, delaysMs)
    } finally {
      await release()
    }
  } catch (error) {
    if (!(error instanceof StoreError || error instanceof FsckError)) throw error
    print(given.json ? JSON.stringify({ root: given.root, error: error.message }) : error.message)
    return FsckExit.CANNOT_CHECK
  }
}

/** A check writes nothing, not even who holds the store. */
async function lock({ root, repair }: FsckArguments): Promise<() => Promise<void>> {
  try {
    if (!repair) return await StoreLock.hold(root)
    const held = await StoreLock.take(root)
    return () => held.release()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new FsckError(`${root} is not there`)
    throw error
  }
}

async function check(
  { root, repair, json, jobs }: FsckArguments,
  print: (line: string) => void,
  delaysMs?: readonly number[],
): Promise<number> {
  const progress = await openProgress(json)
  const onProgress = (done: number, total: number) => progress.show(done, total)
  const { report, map } = await checkStore({ root, jobs, onProgress })
  progress.close()
  if (!json) for (const line of reportLines(report)) print(line)
  if (!repair) {
    if (json) print(JSON.stringify(report))
    return report.findingCount === 0 ? FsckExit.CLEAN : FsckExit.DAMAGED
  }
  const repaired = await repairStore(map, report, { nowMs: Date.now(), delaysMs })
  const { report: after } = await checkStore({ root, jobs })
  if (json) print(JSON.stringify({ ...report, repaired, after }))
  else for (const line of [...repairLines(repaired), ...reportLines(after)]) print(line)
  if (after.findingCount > 0) return FsckExit.DAMAGED
  return report.findingCount === 0 ? FsckExit.CLEAN : FsckExit.REPAIRED
}
