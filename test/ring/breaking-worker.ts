// Does one append or one write and throws in the middle of it.
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { systemDisk } from '../../src/base/disk.ts'
import { failThread } from '../../src/ring/thread-failure.ts'
import { LogAppender } from '../../src/store/log-appender.ts'
import { LogFiles } from '../../src/store/log-files.ts'
import { LogShared, type LogMemory } from '../../src/store/log-memory.ts'
import { LogWindow } from '../../src/store/log-window.ts'
import { LogWriter } from '../../src/store/log-writer.ts'
import type { Breaking } from './breaking-process.ts'

export interface BreakingBoot {
  memory: LogMemory
  thread: number
  flags: Int32Array
  breaking: Breaking
}

/** Words between main and this thread, beside the log's. */
export const Flag = { MAIN_WAITS: 0, DONE: 1 } as const

/** Where the locks' words lie (LogShared), and what says that somebody waits (SharedLock). */
const LOCK_WORDS = { append: 0, write: 32 } as const
const CONTENDED = 2
/** Where no lock is held main never waits: it is not waited for longer than that. */
const MAIN_COMES_MS = 100

const { load, store, wait } = Atomics
const LENGTH = 40

if (workerData !== null) run(workerData as BreakingBoot)

function run({ memory, thread, flags, breaking }: BreakingBoot): void {
  const shared = new LogShared(memory, thread)
  const throwHere = () => {
    awaitMain(memory, flags, breaking)
    writeSync(1, 'throws\n')
    throw new Error(`broken at ${breaking.at}`)
  }
  const work = workOf(shared, breaking, throwHere)
  parentPort!.postMessage('ready')
  try {
    if (typeof breaking.at === 'number') throwAtAtomics(breaking.at, throwHere)
    work()
    store(flags, Flag.DONE, 1)
    parentPort!.postMessage('done')
  } catch (error) {
    const { poison } = shared
    failThread(error, { poison, thread, rouseAll: () => shared.rouseAll() })
  }
}

function workOf(shared: LogShared, { work, at }: Breaking, throwHere: () => never): () => void {
  const now = at === 'clock' ? throwHere : () => 1
  const window = new LogWindow(shared)
  const appender = new LogAppender(shared, window, { fileSize: 4096, clock: { now } })
  const source = { row: 0, length: LENGTH, count: 1, position: 0, queueOffset: 0 }
  const encodeInto = at === 'encode' ? throwHere : () => {}
  const append = () => void appender.append({ ...source, storeTimestamp: 0, encodeInto })
  if (work === 'append') return append
  append()
  const disk = { ...systemDisk, open: () => 1, pwrite: at === 'pwrite' ? throwHere : () => {} }
  const files = new LogFiles(disk, { directory: '/', fileSize: 4096 })
  const writer = new LogWriter(shared, window, files, disk)
  return () => void writer.write()
}

/** The nth atomic operation from now on does not happen: it throws. */
function throwAtAtomics(nth: number, throwHere: () => never): void {
  let left = nth
  for (const name of ['load', 'store', 'exchange', 'compareExchange', 'add', 'notify'] as const) {
    const operation = Atomics[name] as (...args: unknown[]) => number
    const stepped = (...args: unknown[]) => {
      if (left-- === 0) throwHere()
      return operation.apply(Atomics, args)
    }
    Object.assign(Atomics, { [name]: stepped })
  }
}

/** Until main does what it is told to, at a lock that this thread holds until it sleeps there. */
function awaitMain(memory: LogMemory, flags: Int32Array, { main, work }: Breaking): void {
  wait(flags, Flag.MAIN_WAITS, 0)
  if (main !== 'waits for the lock') return
  const words = new Int32Array(memory.control)
  const deadline = Date.now() + MAIN_COMES_MS
  while (load(words, LOCK_WORDS[work]) !== CONTENDED && Date.now() < deadline) {
    wait(flags, Flag.DONE, 0, 1)
  }
}
