import { availableParallelism } from 'node:os'
import { extname, join } from 'node:path'
import type { Piscina } from 'piscina'
import type { Disk } from '../base/disk.ts'
import { DigestsAhead } from './digests-ahead.ts'
import { LogFiles, logFileName } from './log-files.ts'
import { recoverInSteps, type Recovered, type RecoveryOptions } from './recovery.ts'
import { READ_ALONE, type ScanAnswer, type ScanAsk } from './scan-digest.ts'
import type { FoundDigest, SpanAsked } from './span-digest.ts'

export interface ThreadOptions {
  /** A pass over less of the log is left to the calling thread. */
  leastLength: number
  spanLength: number
  threads: number
  onFailure: (failure: ReadAheadFailure) => void
}

/** What could not be read ahead; no part of the log when a thread ended without one. */
export interface ReadAheadFailure {
  error: string
  file?: string
  from?: number
  to?: number
}

const THREADS_MAX = 8
const PROBE_LENGTH = 4096

export function threadOptions(onFailure: ThreadOptions['onFailure']): ThreadOptions {
  return {
    leastLength: 512 * 1024 * 1024,
    spanLength: 64 * 1024 * 1024,
    threads: Math.min(availableParallelism(), THREADS_MAX),
    onFailure,
  }
}

/**
 * `recover`, with threads that read ahead of it where much of the log is to be read. They decide
 * nothing: whatever fails there is read here, in order, as if there were none.
 */
export async function recoverWithThreads(
  disk: Disk,
  options: RecoveryOptions,
  threads: ThreadOptions,
): Promise<Recovered> {
  const readers = new LogReaders(disk, options, threads)
  const steps = recoverInSteps(disk, options)
  try {
    let step = steps.next(READ_ALONE)
    while (step.done !== true) step = steps.next(await readers.answer(step.value))
    return step.value
  } finally {
    await readers.close()
  }
}

class LogReaders {
  readonly #disk: Disk
  readonly #options: RecoveryOptions
  readonly #threads: ThreadOptions
  #pool: Piscina | null = null
  #ahead: DigestsAhead | null = null

  constructor(disk: Disk, options: RecoveryOptions, threads: ThreadOptions) {
    this.#disk = disk
    this.#options = options
    this.#threads = threads
  }

  async answer(ask: ScanAsk): Promise<ScanAnswer> {
    if (ask.position === ask.first) await this.close() // another pass
    if (this.#ahead === null) {
      const due = Math.max(ask.position, ask.first + this.#threads.leastLength)
      if (due >= ask.end) return READ_ALONE
      // The last file is as long as the others, however little is in it.
      if (!this.#isUsedAt(due))
        return due > ask.position ? { digest: null, until: due } : READ_ALONE
      this.#ahead = await this.#open()
    }
    return this.#ahead.answer(ask)
  }

  async close(): Promise<void> {
    // Piscina does not expect an answer of a thread that it has ended.
    await this.#ahead?.close()
    await this.#pool?.destroy()
    this.#pool = this.#ahead = null
  }

  #isUsedAt(position: number): boolean {
    const { logDirectory: directory, logFileSize: fileSize } = this.#options
    const files = new LogFiles(this.#disk, { directory, fileSize })
    try {
      const bytes = Buffer.alloc(PROBE_LENGTH)
      files.read(position, PROBE_LENGTH, bytes, 0)
      return bytes.some((byte) => byte !== 0)
    } finally {
      files.closeAll()
    }
  }

  async #open(): Promise<DigestsAhead> {
    const { logDirectory: directory, logFileSize: fileSize } = this.#options
    const { checkCrc, hasLightQueues, delaysMs } = this.#options
    const { spanLength, threads } = this.#threads
    const pool = await openPool(threads)
    this.#pool = pool
    // Of a thread that cannot start; without a listener it would end the process.
    pool.on('error', (error) => this.#threads.onFailure({ error: String(error) }))
    const spans = { spanLength, spansMax: 2 * threads }
    const options = { directory, fileSize, checkCrc, hasLightQueues, delaysMs, ...spans }
    const read = async (asked: SpanAsked) => (await pool.run(asked)) as FoundDigest | null
    return new DigestsAhead(options, read, (error, asked) => this.#tell(error, asked))
  }

  #tell(error: unknown, { directory, fileSize, from, to }: SpanAsked): void {
    const file = join(directory, logFileName(from - (from % fileSize)))
    this.#threads.onFailure({ error: String(error), file, from, to })
  }
}

/** Each thread has one span waiting while it reads another: this thread may be busy when it is done. */
async function openPool(threads: number): Promise<Piscina> {
  const { Piscina } = await import('piscina')
  const type = extname(import.meta.filename) // a bundle is JavaScript
  return new Piscina({
    filename: new URL(`../../workers/scan${type}`, import.meta.url).href,
    name: 'runSpan',
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 2,
  })
}
