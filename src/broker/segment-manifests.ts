import { extname } from 'node:path'
import type { Piscina } from 'piscina'
import type { Disk } from '../base/disk.ts'
import type { Log } from '../log/log.ts'
import { listLogFiles, logFileName } from '../store/log-files.ts'
import { listManifests, readManifest, removeManifest } from '../store/manifest.ts'
import type { SealAsked } from '../store/seal-segment.ts'
import type { StorePlaces } from '../store/store-places.ts'

/** Between two looks whether a file of the log was sealed or deleted. */
const LOOK_MS = 30_000
/** Of one core: a file of 1 GiB takes about half a minute. */
const SHARE = 0.1
/** A thread without work ends. */
const IDLE_MS = 1000

/** Where the log begins, how far it is durable, and what else is needed. */
export interface ManifestParts {
  places: Pick<StorePlaces, 'root' | 'logDirectory' | 'logFileSize'>
  disk: Disk
  log: Log
  flushed: () => number
  minPosition: () => number
}

/**
 * Has a manifest made of every file of the log that is full and flushed, and takes away those whose
 * file is gone. The work is done in a thread that is only there while there is any.
 */
export class SegmentManifests {
  readonly #parts: ManifestParts
  readonly #timer: NodeJS.Timeout
  /** Files that have one, or could not be given one. */
  readonly #done = new Set<number>()
  #pool: Piscina | null = null
  #sealing: Promise<void> | null = null
  #isStopped = false
  #isFound = false
  /** End of the file that is being written to. */
  #nextEnd = 0

  constructor(parts: ManifestParts) {
    this.#parts = parts
    // The first look comes with the first beat: a start has better things to do.
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref()
  }

  /** Starts what is to be done. Resolves when all of it is. */
  look(): Promise<void> {
    this.#sealing ??= this.#run().finally(() => {
      this.#sealing = null
    })
    return this.#sealing
  }

  /** Waits for nothing: what is not done yet is done after the next start. */
  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
    void this.#pool?.destroy()
  }

  /** What earlier runs have made. One that knows more bytes than there are was made before the log was cut. */
  #findDone(): void {
    const { places, disk, flushed } = this.#parts
    for (const file of listManifests(disk, places.root)) {
      const manifest = readManifest(disk, places.root, file)
      const start = Number(file)
      const isWhole = manifest !== null && manifest.length === places.logFileSize
      if (isWhole && start + places.logFileSize <= flushed()) this.#done.add(start)
      else removeManifest(disk, places.root, file)
    }
    this.#isFound = true
  }

  #removeStrays(): void {
    const { places, disk, minPosition } = this.#parts
    const min = minPosition()
    for (const start of this.#done) {
      if (start + places.logFileSize > min) continue
      removeManifest(disk, places.root, logFileName(start))
      this.#done.delete(start)
    }
  }

  /** A disk that refuses is not the end: there is another look. */
  async #run(): Promise<void> {
    try {
      if (!this.#isFound) this.#findDone()
      this.#removeStrays()
      await this.#sealAll()
    } catch (error) {
      this.#parts.log.warn({ error: String(error) }, 'manifests could not be looked after')
    }
  }

  async #sealAll(): Promise<void> {
    const { flushed } = this.#parts
    if (flushed() < this.#nextEnd) return // no file has become full since
    for (let start = this.#next(); start !== -1 && !this.#isStopped; start = this.#next()) {
      this.#done.add(start)
      await this.#seal(start)
    }
    const { logFileSize } = this.#parts.places
    this.#nextEnd = (Math.floor(flushed() / logFileSize) + 1) * logFileSize
  }

  /** The first sealed file without one; -1 when all have theirs. */
  #next(): number {
    const { places, disk, flushed, minPosition } = this.#parts
    const { logDirectory, logFileSize } = places
    const [min, end] = [minPosition(), flushed()]
    const starts = listLogFiles(disk, logDirectory, logFileSize)
    const isDue = (start: number) => start + logFileSize <= end && start + logFileSize > min
    return starts.find((start) => isDue(start) && !this.#done.has(start)) ?? -1
  }

  async #seal(start: number): Promise<void> {
    const { root, logDirectory: directory, logFileSize: length } = this.#parts.places
    const asked: SealAsked = { root, directory, file: logFileName(start), length, share: SHARE }
    try {
      const threads = await this.#threads()
      if (this.#isStopped) void threads.destroy()
      else await threads.run(asked)
    } catch (error) {
      if (this.#isStopped) return
      this.#parts.log.warn({ file: asked.file, error: String(error) }, 'no manifest could be made')
    }
  }

  /** The package is loaded when there is work for the first time. */
  async #threads(): Promise<Piscina> {
    if (this.#pool !== null) return this.#pool
    const { Piscina } = await import('piscina')
    const type = extname(import.meta.filename) // a bundle is JavaScript
    this.#pool = new Piscina({
      filename: new URL(`../../workers/checksum${type}`, import.meta.url).href,
      name: 'sealSegment',
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
    })
    return this.#pool
  }
}
