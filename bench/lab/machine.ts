import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'

/** Processor time of the whole machine so far, in seconds over all processors. */
export interface MachineSample {
  busy: number
  steal: number
  total: number
}

export interface MachineNoise {
  /** Share of the machine's time that the hypervisor gave to others. */
  stealShare: number
  /** Share of the machine's time that processes outside the measurement used. */
  otherShare: number
}

/** The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal in ticks. */
export function sampleMachine(): MachineSample {
  const line = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]!
  const seconds = line
    .trim()
    .split(/\s+/)
    .slice(1, 9)
    .map((ticks) => Number(ticks) / 100)
  const total = seconds.reduce((sum, value) => sum + value, 0)
  const [idle, waiting, steal] = [seconds[3]!, seconds[4]!, seconds[7]!]
  return { busy: total - idle - waiting - steal, steal, total }
}

/** `ownSeconds` is the processor time of everything that takes part in the measurement. */
export function noiseBetween(
  before: MachineSample,
  after: MachineSample,
  ownSeconds: number,
): MachineNoise {
  const total = Math.max(after.total - before.total, Number.EPSILON)
  return {
    stealShare: (after.steal - before.steal) / total,
    otherShare: Math.max(0, after.busy - before.busy - ownSeconds) / total,
  }
}

/** What a figure depends on: kept with every result. */
export interface MachineDescription {
  /** ISO 8601. */
  date: string
  processor: string
  processors: number
  memoryGiB: number
  kernel: string
  node: string
  loadAverage: number
  commit: string
}

export function describeMachine(): MachineDescription {
  return {
    date: new Date().toISOString(),
    processor: cpus()[0]?.model ?? 'unknown',
    processors: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    loadAverage: loadavg()[0]!,
    commit: gitCommit(),
  }
}

/** `-changed` when the work tree differs from the commit. */
function gitCommit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
    return git('rev-parse', '--short', 'HEAD') + (changed ? '-changed' : '')
  } catch {
    return 'no repository'
  }
}
