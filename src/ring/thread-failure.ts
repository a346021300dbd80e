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
 * the process ends with code 70. `process.exit` in a worker ends only that worker, so main does it;
 * when main is stuck in a system call, SIGKILL does.
 */
export function failThread(
  error: unknown,
  { poison, thread, rouseAll }: { poison: Poison; thread: number; rouseAll: () => void },
): void {
  const isFirst = poison.setBy(thread)
  rouseAll()
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  if (isMainThread) {
    if (isFirst) process.stderr.write(`RingMQ ends, the main thread failed: ${reason}\n`)
    process.exit(EXIT_POISONED)
  }
  if (isFirst) parentPort?.postMessage({ failure: reason } satisfies ThreadFailure)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, MAIN_HAS_MS)
  process.kill(process.pid, 'SIGKILL')
}
