import { writeSync } from 'node:fs'
import { isMainThread, parentPort } from 'node:worker_threads'
import { EXIT_POISONED, type Poison } from './poison.ts'

/** Main has this long to end the process in order; then whoever threw ends it the hard way. */
const MAIN_HAS_MS = 1000

/** What a worker tells main when it breaks. */
export interface ThreadFailure {
  failure: string
}

export function isThreadFailure(message: unknown): message is ThreadFailure {
  return typeof message === 'object' && message !== null && 'failure' in message
}

/**
 * The end of a thread that threw: from now on no thread answers OK, nobody waits for a lock, and
 * the process ends with code 70. Only main can see to that; when it is stuck in a system call,
 * SIGKILL does.
 */
export function failThread(
  error: unknown,
  { poison, thread, rouseAll }: { poison: Poison; thread: number; rouseAll: () => void },
): void {
  // Before anybody is woken: main may be gone the moment after.
  if (poison.setBy(thread)) sayWhy(error, thread)
  rouseAll()
  if (isMainThread) endPoisoned()
  const failure = error instanceof Error ? error.message : String(error)
  parentPort?.postMessage({ failure } satisfies ThreadFailure)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, MAIN_HAS_MS)
  process.kill(process.pid, 'SIGKILL')
}

/**
 * Main ends the process with code 70, at once. `process.exit` waits for all workers, and one may be
 * stuck in a system call, a sync on a disk that hangs, say: another program in our place ends them.
 */
export function endPoisoned(): never {
  try {
    process.execve?.('/bin/sh', ['sh', '-c', `exit ${EXIT_POISONED}`])
  } catch {
    // No shell here: then it ends when its workers can.
  }
  process.exit(EXIT_POISONED)
}

/** Not by `process.stderr`: a worker's goes through main. */
function sayWhy(error: unknown, thread: number): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  try {
    writeSync(2, `RingMQ ends, thread ${thread} failed: ${reason}\n`)
  } catch {
    // Nobody reads it.
  }
}
