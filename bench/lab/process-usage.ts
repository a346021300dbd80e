import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts process time in hundredths of a second on every architecture (USER_HZ). */
const TICKS_PER_SECOND = 100

/** Counters of a process at one moment; a difference of two is what counts. Seconds and bytes. */
export interface ProcessSample {
  atMs: number
  userSeconds: number
  systemSeconds: number
  threads: Map<string, number>
  contextSwitches: number
  writtenBytes: number
  residentBytes: number
  anonymousBytes: number
  peakBytes: number
}

/** What a process used between two samples. */
export interface ProcessUsage {
  seconds: number
  userSeconds: number
  systemSeconds: number
  cpuSeconds: number
  /** CPU seconds by thread name, numbers at the end of a name taken off, the busiest first. */
  threads: Record<string, number>
  contextSwitches: number
  writtenBytes: number
  /** At the end. `anonymous` leaves out mapped files, which the kernel can drop. */
  residentBytes: number
  anonymousBytes: number
  peakBytes: number
}

/** Reads /proc. Throws when the process is gone. */
export function sampleProcess(pid: number): ProcessSample {
  const root = `/proc/${pid}`
  const times = readTimes(`${root}/stat`)
  const status = readPairs(`${root}/status`)
  const tasks = readdirSync(`${root}/task`).map((id) => `${root}/task/${id}`)
  return {
    atMs: performance.now(),
    ...times,
    threads: threadSeconds(tasks),
    contextSwitches: tasks.reduce((sum, task) => sum + taskSwitches(task), 0),
    writtenBytes: readPairs(`${root}/io`).get('write_bytes') ?? 0,
    residentBytes: kibibytes(status, 'VmRSS'),
    anonymousBytes: kibibytes(status, 'RssAnon') + kibibytes(status, 'RssShmem'),
    peakBytes: kibibytes(status, 'VmHWM'),
  }
}

export function usageBetween(before: ProcessSample, after: ProcessSample): ProcessUsage {
  const userSeconds = after.userSeconds - before.userSeconds
  const systemSeconds = after.systemSeconds - before.systemSeconds
  return {
    seconds: (after.atMs - before.atMs) / 1000,
    userSeconds,
    systemSeconds,
    cpuSeconds: userSeconds + systemSeconds,
    threads: threadDifference(before.threads, after.threads),
    contextSwitches: after.contextSwitches - before.contextSwitches,
    writtenBytes: after.writtenBytes - before.writtenBytes,
    residentBytes: after.residentBytes,
    anonymousBytes: after.anonymousBytes,
    peakBytes: after.peakBytes,
  }
}

/** Fields 14 and 15 of stat, counted from behind the name, which may hold spaces and brackets. */
function readTimes(path: string): { userSeconds: number; systemSeconds: number } {
  const text = readFileSync(path, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return {
    userSeconds: Number(fields[11]) / TICKS_PER_SECOND,
    systemSeconds: Number(fields[12]) / TICKS_PER_SECOND,
  }
}

function threadSeconds(tasks: string[]): Map<string, number> {
  const threads = new Map<string, number>()
  for (const task of tasks) {
    const seconds = orGone(() => readTimes(`${task}/stat`))
    const name = orGone(() => readFileSync(`${task}/comm`, 'latin1').trim())
    if (!seconds || !name) continue
    const family = name.replace(/[-_#\d]+$/, '')
    threads.set(family, (threads.get(family) ?? 0) + seconds.userSeconds + seconds.systemSeconds)
  }
  return threads
}

/** A thread's counters disappear with it, so that a family can even lose seconds: then it counts as zero. */
function threadDifference(
  before: Map<string, number>,
  after: Map<string, number>,
): Record<string, number> {
  const used = [...after].map(
    ([name, seconds]) => [name, seconds - (before.get(name) ?? 0)] as const,
  )
  const busy = used.filter(([, seconds]) => seconds > 0).sort((a, b) => b[1] - a[1])
  return Object.fromEntries(busy.map(([name, seconds]) => [name, Math.round(seconds * 100) / 100]))
}

function taskSwitches(task: string): number {
  const status = orGone(() => readPairs(`${task}/status`))
  if (!status) return 0
  const voluntary = status.get('voluntary_ctxt_switches') ?? 0
  return voluntary + (status.get('nonvoluntary_ctxt_switches') ?? 0)
}

function kibibytes(status: Map<string, number>, key: string): number {
  return (status.get(key) ?? 0) * 1024
}

/** Lines `key: number unit` as numbers; other lines give NaN. */
function readPairs(path: string): Map<string, number> {
  const lines = readFileSync(path, 'latin1').split('\n')
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), Number.parseInt(line.slice(colon + 1), 10)]
    }),
  )
}

/** A thread may end between listing and reading. */
function orGone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
