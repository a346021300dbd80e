import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { isThreadFailure } from '../../src/ring/thread-failure.ts'
import { allocateLogMemory, LogShared, Thread } from '../../src/store/log-memory.ts'
import { STRESS_APPEND_MAX, STRESS_ROWS } from './stress-record.ts'
import { noCounts, stressThread, type StressBoot, type StressCounts } from './stress-threads.ts'

export const STRESS_WINDOW = 4096
/** No multiple of the window, so that blank records lie across its end, too. */
const FILE_SIZE = 300_007
/** So much is appended before the position crosses 4 GiB. */
const BEFORE_CROSSING = 2_000_000
/** Main lets its event loop run this often: failures of others are reported through it. */
const STEPS_PER_LOOP = 200

export interface StressOptions {
  appenders: number
  appends: number
  seed: number
}

export interface StressResult extends StressOptions {
  windowBytes: number
  durationMs: number
  appendsPerSecond: number
  /** All threads' doings together; `records` are those that the follower has checked. */
  counts: StressCounts
  logBytes: number
}

/**
 * Real threads on a real window of 4 KiB over real files: appenders (main is one), one that makes
 * and deletes files, and one that follows and checks every byte. Rejects on the first wrong one.
 */
export async function stress(options: StressOptions): Promise<StressResult> {
  const directory = mkdtempSync(join(tmpdir(), 'ringmq-stress-'))
  try {
    return await runIn(directory, options)
  } catch (error) {
    throw new Error(`the stress failed: ${JSON.stringify(options)}`, { cause: error })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function runIn(directory: string, options: StressOptions): Promise<StressResult> {
  const { appenders, appends, seed } = options
  const threads = Thread.NETWORK + appenders - 1
  const memory = allocateLogMemory({
    windowSize: STRESS_WINDOW,
    slack: STRESS_APPEND_MAX,
    threads,
    rows: STRESS_ROWS,
  })
  const shared = new LogShared(memory, Thread.MAIN)
  const start = Math.floor((2 ** 32 - BEFORE_CROSSING) / FILE_SIZE) * FILE_SIZE
  shared.start(start, { minPosition: start, timestamp: 0 })
  shared.publishCreated(start)
  const boot: StressBoot = {
    memory,
    thread: Thread.MAIN,
    role: 'appender',
    appender: 0,
    appenders,
    appends: appends - Math.floor(appends / appenders) * (appenders - 1),
    directory,
    fileSize: FILE_SIZE,
    seed,
  }
  const keeper = new StressHelper({ ...boot, thread: Thread.FLUSH, role: 'keeper' })
  const follower = new StressHelper({ ...boot, thread: Thread.DISPATCH, role: 'follower' })
  const others = Array.from({ length: appenders - 1 }, (_, nth) => {
    const share = { appends: Math.floor(appends / appenders), appender: nth + 1 }
    return new StressHelper({ ...boot, ...share, thread: Thread.NETWORK + nth })
  })
  const all = [keeper, follower, ...others]
  await Promise.all(all.map((helper) => helper.ready))
  const startedAt = performance.now()
  for (const helper of all) helper.go()
  const main = await appendOnMain(boot, all)
  await Promise.all(others.map(({ counts }) => counts))
  shared.stop()
  const found = await Promise.all(all.map(({ counts }) => counts))
  const durationMs = performance.now() - startedAt
  return resultOf(options, { counts: [main, ...found], durationMs, shared, start })
}

/** Main is an appender like the others. */
async function appendOnMain(
  boot: StressBoot,
  others: readonly StressHelper[],
): Promise<StressCounts> {
  const failure = Promise.race(others.map(({ failed }) => failed))
  const thread = stressThread(boot)
  for (let steps = 1; thread.step(); steps++) {
    if (steps % STEPS_PER_LOOP === 0) await Promise.race([failure, nextLoop()])
  }
  return thread.counts
}

function nextLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function resultOf(
  options: StressOptions,
  run: { counts: StressCounts[]; durationMs: number; shared: LogShared; start: number },
): StressResult {
  const counts = noCounts()
  for (const key of Object.keys(counts) as (keyof StressCounts)[]) {
    for (const thread of run.counts) counts[key] += thread[key]
  }
  counts.records /= 2 // appended, and followed
  return {
    ...options,
    windowBytes: STRESS_WINDOW,
    durationMs: Math.round(run.durationMs),
    appendsPerSecond: Math.round((counts.appends * 1000) / run.durationMs),
    counts,
    logBytes: run.shared.appended.value() - run.start,
  }
}

/** A thread of the run, as main sees it. */
class StressHelper {
  readonly ready: Promise<void>
  readonly counts: Promise<StressCounts>
  /** Never resolves. */
  readonly failed: Promise<never>
  readonly #worker: Worker

  constructor(boot: StressBoot) {
    this.#worker = new Worker(new URL('./stress-worker.ts', import.meta.url), { workerData: boot })
    this.failed = new Promise((_, reject) => {
      this.#worker.on('error', reject)
      this.#worker.on('message', (message) => {
        if (isThreadFailure(message)) reject(new Error(`${boot.role}: ${message.failure}`))
      })
    })
    this.ready = Promise.race([this.failed, this.#message((message) => message === 'ready')])
    this.counts = Promise.race([
      this.failed,
      this.#message((message) => typeof message === 'object' && !isThreadFailure(message)),
    ]) as Promise<StressCounts>
    for (const promise of [this.failed, this.ready, this.counts]) promise.catch(() => {})
  }

  go(): void {
    this.#worker.postMessage('go')
  }

  #message(matches: (message: unknown) => boolean): Promise<never> {
    return new Promise((resolve) => {
      this.#worker.on('message', (message) => {
        if (matches(message)) resolve(message as never)
      })
    })
  }
}
