import type { Clock } from '../base/clock.ts'
import type { DataVersion } from '../protocol/bodies/data-version.ts'
import type { Log } from '../log/log.ts'
import type { ConfigFile } from './config-json.ts'
import { firstVersion, nextVersion, readVersion } from './data-version.ts'

/** A crash delivers what came due since the last write once more, so it is not put off for long. */
const WRITE_MS = 1000

/** Up to where each delay level has been delivered: config/delayOffset.json (Apache 5.3.3). */
export class DelayOffsets {
  readonly #file: ConfigFile
  readonly #clock: Clock
  readonly #log: Log
  readonly #offsets = new Map<number, number>()
  #version: DataVersion
  #isFailing = false
  #timer: NodeJS.Timeout | null = null

  constructor(parts: { file: ConfigFile; clock: Clock; log: Log }) {
    this.#file = parts.file
    this.#clock = parts.clock
    this.#log = parts.log
    this.#version = firstVersion(parts.clock.now())
  }

  /** Reads what the last run left. Throws ConfigFileError. */
  async load(): Promise<void> {
    const json = await this.#file.load()
    if (json === null) return
    this.#version = readVersion(json.get('dataVersion'))
    const table = json.get('offsetTable')
    if (!(table instanceof Map)) return
    for (const [level, offset] of table) {
      if (typeof offset === 'number' && offset >= 0) this.#offsets.set(Number(level), offset)
    }
  }

  get(level: number): number {
    return this.#offsets.get(level) ?? 0
  }

  set(level: number, offset: number): void {
    this.#offsets.set(level, offset)
    this.#timer ??= setTimeout(() => void this.#write(), WRITE_MS)
  }

  /** The file's content, which is also the answer to a slave. Apache writes the numbers unquoted and reads both. */
  toText(): string {
    const pairs = [...this.#offsets].map(([level, offset]) => `"${level}":${offset}`)
    return `{"dataVersion":${JSON.stringify(this.#version)},"offsetTable":{${pairs.join(',')}}}`
  }

  /** Writes the rest. Nothing may be set after it. */
  async close(): Promise<void> {
    if (this.#timer === null) return
    clearTimeout(this.#timer)
    await this.#write()
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  async #write(): Promise<void> {
    this.#timer = null
    this.#version = nextVersion(this.#version, this.#clock.now())
    try {
      await this.#file.save(this.toText())
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) this.#log.error({ error }, 'delay offsets cannot be written')
      this.#isFailing = true
      this.#timer ??= setTimeout(() => void this.#write(), WRITE_MS)
    }
  }
}
