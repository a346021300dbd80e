import type { Log } from '../log/log.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { ConfigFile } from './config-json.ts'

export interface DelayedFileParts {
  file: ConfigFile
  log: Log
  /** How long a change may stay in memory only. */
  delayMs: number
  toText: () => string
}

/** A table in a JSON file that is written a moment after it has changed. */
export class DelayedFile {
  readonly #parts: DelayedFileParts
  #isFailing = false
  #timer: NodeJS.Timeout | null = null

  constructor(parts: DelayedFileParts) {
    this.#parts = parts
  }

  /** What the last run left; null when there is nothing. Throws ConfigFileError. */
  load(): Promise<JsonObject | null> {
    return this.#parts.file.load()
  }

  /** The table has changed. */
  touch(): void {
    this.#timer ??= setTimeout(() => void this.#write(), this.#parts.delayMs)
  }

  /** Writes the rest. */
  async close(): Promise<void> {
    if (this.#timer === null) return
    clearTimeout(this.#timer)
    await this.#write()
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  async #write(): Promise<void> {
    const { file, log, toText } = this.#parts
    this.#timer = null
    try {
      await file.save(toText())
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) log.error({ file: file.path, error }, 'a table cannot be written')
      this.#isFailing = true
      this.touch()
    }
  }
}
