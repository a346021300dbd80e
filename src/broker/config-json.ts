/**
 * One JSON file below `config/`, in Apache's format and place, written so that a crash at any moment
 * leaves a whole generation to read: the new text goes to `<file>.tmp`, is synced, the file that
 * was there becomes `<file>.bak` (Apache's name), and the new one takes its place.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { parseJson } from '../protocol/json.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Log } from '../log/log.ts'

/** Our own disk is trusted for size, not for shape: about 1 GiB of memory for the values. */
const LIMITS = { depth: 64, cells: 1 << 26 }

/** A config file that is there, cannot be read, and has no readable previous generation. */
export class ConfigFileError extends Error {
  override name = 'ConfigFileError'
}

type Found = { kind: 'value'; value: JsonObject } | { kind: 'none' | 'damaged'; reason: string }

export class ConfigFile {
  readonly path: string
  readonly #log: Log
  /** A damaged file never becomes the backup: it would push out the good one. */
  #isDamaged = false
  #lastSave: Promise<void> = Promise.resolve()

  constructor(path: string, log: Log) {
    this.path = path
    this.#log = log
  }

  /**
   * The object in the file, or in its backup when the file is missing, empty or damaged (which is
   * logged); null when there is neither. Throws ConfigFileError when nothing that is there can be
   * read: to start with an empty table would be to lose it.
   */
  async load(): Promise<JsonObject | null> {
    const main = await find(this.path)
    if (main.kind === 'value') return main.value
    const backup = await find(`${this.path}.bak`)
    this.#isDamaged = main.kind === 'damaged'
    if (backup.kind === 'value') {
      this.#log.warn({ file: this.path, reason: main.reason }, `read ${this.path}.bak instead`)
      return backup.value
    }
    if (main.kind === 'none' && backup.kind === 'none') return null
    throw new ConfigFileError(
      `${this.path}: ${main.reason}; ${basename(this.path)}.bak: ${backup.reason}. ` +
        'Put a good copy there, or move both away to start with an empty table.',
    )
  }

  /** Makes `text` the content. Durable when it resolves; the file is untouched when it rejects. */
  save(text: string): Promise<void> {
    const save = this.#lastSave.then(() => this.#replace(text))
    this.#lastSave = save.catch(() => {}) // the next one tries anew, whoever awaits this one hears of it
    return save
  }

  async #replace(text: string): Promise<void> {
    const folder = dirname(this.path)
    await mkdir(folder, { recursive: true })
    await writeDurably(`${this.path}.tmp`, text)
    await renameIfThere(this.path, this.#isDamaged ? `${this.path}.damaged` : `${this.path}.bak`)
    this.#isDamaged = false
    await rename(`${this.path}.tmp`, this.path)
    await syncFolder(folder)
  }
}

async function find(path: string): Promise<Found> {
  let text
  try {
    text = await readFile(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { kind: 'none', reason: 'is missing' }
    throw error
  }
  return read(text)
}

function read(text: Buffer): Found {
  if (text.toString().trim() === '') return { kind: 'none', reason: 'is empty' }
  try {
    const value = parseJson(text, LIMITS)
    if (value instanceof Map) return { kind: 'value', value }
    return { kind: 'damaged', reason: 'holds no JSON object' }
  } catch (error) {
    return { kind: 'damaged', reason: `is damaged (${(error as Error).message})` }
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function renameIfThere(source: string, target: string): Promise<void> {
  try {
    await rename(source, target)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** Makes new names and renames in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
