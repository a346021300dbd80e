import type { Clock } from '../base/clock.ts'
import type { DataVersion } from '../protocol/bodies/data-version.ts'
import type { Log } from '../log/log.ts'
import type { ConfigFile } from './config-json.ts'
import { DelayedFile } from './delayed-file.ts'
import { firstVersion, nextVersion, readVersion } from './data-version.ts'

/** A crash delivers what came due since the last write once more, so it is not put off for long. */
const WRITE_MS = 1000

/** Up to where each delay level has been delivered: config/delayOffset.json (Apache 5.3.3). */
export class DelayOffsets {
  readonly #file: DelayedFile
  readonly #clock: Clock
  readonly #offsets = new Map<number, number>()
  #version: DataVersion

  constructor({ file, clock, log }: { file: ConfigFile; clock: Clock; log: Log }) {
    this.#clock = clock
    this.#version = firstVersion(clock.now())
    this.#file = new DelayedFile({ file, log, delayMs: WRITE_MS, toText: () => this.#nextText() })
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
    this.#file.touch()
  }

  /** The file's content, which is also the answer to a slave. Apache writes the numbers unquoted and reads both. */
  toText(): string {
    const pairs = [...this.#offsets].map(([level, offset]) => `"${level}":${offset}`)
    return `{"dataVersion":${JSON.stringify(this.#version)},"offsetTable":{${pairs.join(',')}}}`
  }

  /** Writes the rest. Nothing may be set after it. */
  close(): Promise<void> {
    return this.#file.close()
  }

  #nextText(): string {
    this.#version = nextVersion(this.#version, this.#clock.now())
    return this.toText()
  }
}
