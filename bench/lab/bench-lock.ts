import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const LOCK_FILE = join(tmpdir(), 'ringmq-bench.lock')

/**
 * Two measurements at once measure each other. Takes the machine's one lock and returns what gives it
 * back. Throws when a living process has it; the lock of a dead one is taken over.
 */
export function takeBenchLock(file = LOCK_FILE): () => void {
  const own = identity(process.pid)!
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, own)
  try {
    while (!claim(draft, file)) evict(file)
  } finally {
    rmSync(draft)
  }
  return () => {
    if (holder(file) === own) rmSync(file)
  }
}

/** A link appears with its content, so that nobody can meet a lock without a name in it. */
function claim(draft: string, file: string): boolean {
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function evict(file: string): void {
  const found = holder(file)
  if (found === undefined) return // released meanwhile
  const pid = Number(found.split(' ')[0])
  if (identity(pid) === found) throw new Error(`process ${pid} is measuring: ${file}`)
  const aside = `${file}.stale-${process.pid}`
  try {
    renameSync(file, aside)
    // Another process may have evicted the dead one and taken the lock since we looked: give it back.
    if (holder(aside) !== found) linkSync(aside, file)
  } finally {
    rmSync(aside, { force: true })
  }
}

function holder(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** Pid and start time, since pids come round again. Undefined when there is no such process. */
function identity(pid: number): string | undefined {
  const text = holder(`/proc/${pid}/stat`)
  return text && `${pid} ${text.slice(text.lastIndexOf(')') + 2).split(' ')[19]}`
}
