import { readFileSync, readlinkSync } from 'node:fs'

/** Which process this is, so that no other is ever taken for it: pids come again. */
export interface ProcessIdentity {
  boot: string
  /** Its pid namespace. */
  namespace: string
  pid: number
  /** When it started, in the kernel's ticks. */
  started: string
}

let current: ProcessIdentity | undefined

export function currentProcess(): ProcessIdentity {
  current ??= {
    boot: textOf('/proc/sys/kernel/random/boot_id'),
    namespace: linkOf('/proc/self/ns/pid'),
    pid: process.pid,
    started: startOf(process.pid),
  }
  return current
}

/** Our own process is not "another that lives". 'unknown': it runs where we cannot look. */
export function isAlive({ boot, namespace, pid, started }: ProcessIdentity): boolean | 'unknown' {
  const own = currentProcess()
  if (boot !== own.boot || namespace !== own.namespace) return 'unknown'
  if (pid === own.pid) return false
  return own.started === '' ? answersSignals(pid) : startOf(pid) === started
}

/** Dead, and waiting for a parent that asks how it ended; some never do. */
const DEAD_STATES = ['Z', 'X']

/**
 * Fields 3 and 22 of stat; its second field is a name in parentheses that may hold anything. Empty when
 * there is no such process (any more).
 */
function startOf(pid: number): string {
  const stat = textOf(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return DEAD_STATES.includes(fields[0]!) ? '' : (fields[19] ?? '')
}

/** Without /proc: any process of that number. */
function answersSignals(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Empty where there is no /proc, or no such process. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
