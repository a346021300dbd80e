/**
 * A process one of whose threads breaks: node breaking-process.ts '<Breaking as JSON>'. It says
 * `throws` when that happens. Ends with 0 when the work has fewer steps than it was told.
 */
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { endPoisoned, failThread, isThreadFailure } from '../../src/ring/thread-failure.ts'
import { allocateLogMemory, LogShared, Thread } from '../../src/store/log-memory.ts'
import { Flag, type BreakingBoot } from './breaking-worker.ts'

/** How a thread breaks, and what main does meanwhile. */
export interface Breaking {
  work: 'append' | 'write'
  /** At which of its atomic operations, or in which call. */
  at: number | 'clock' | 'encode' | 'pwrite'
  main: 'waits for the lock' | 'is idle' | 'is in a system call'
  /** A pipe that nobody writes to. */
  pipe: string
  /** Whether another worker is stuck in a system call. */
  hasStuckWorker: boolean
}

const breaking = JSON.parse(process.argv[2]!) as Breaking
const memory = allocateLogMemory({ windowSize: 4096, slack: 64, threads: 5, rows: 1 })
const shared = new LogShared(memory, Thread.MAIN)
shared.start(0, { minPosition: 0, timestamp: 0 })
shared.publishCreated(4096)
const flags = new Int32Array(new SharedArrayBuffer(8))
const boot: BreakingBoot = { memory, thread: Thread.NETWORK, flags, breaking }

const worker = new Worker(new URL('./breaking-worker.ts', import.meta.url), { workerData: boot })
if (breaking.hasStuckWorker) {
  const code = `require('node:fs').readFileSync(${JSON.stringify(breaking.pipe)})`
  new Worker(code, { eval: true })
}
worker.on('message', (message) => {
  if (isThreadFailure(message)) endPoisoned()
  else if (message === 'done') process.exit(0)
  else waitAsTold()
})

function waitAsTold(): void {
  try {
    Atomics.store(flags, Flag.MAIN_WAITS, 1)
    Atomics.notify(flags, Flag.MAIN_WAITS)
    if (breaking.main === 'is in a system call') readFileSync(breaking.pipe)
    if (breaking.main === 'waits for the lock') lockUntilBroken()
  } catch (error) {
    failThread(error, {
      poison: shared.poison,
      thread: Thread.MAIN,
      rouseAll: () => shared.rouseAll(),
    })
  }
}

function lockUntilBroken(): void {
  const lock = breaking.work === 'append' ? shared.appendLock : shared.writeLock
  while (Atomics.load(flags, Flag.DONE) === 0) {
    lock.acquire()
    lock.release()
  }
}
