/**
 * Where topics and groups are kept: each table whole in Apache's JSON file, its newest changes in the
 * journal until the JSON has them too. A change is durable in the journal before it is answered;
 * the JSON, which grows with the table, is written a moment later for all changes since.
 */
import { join } from 'node:path'
import type { DataVersion } from '../protocol/bodies/data-version.ts'
import { parseJson } from '../protocol/json.ts'
import type { JsonObject, JsonValue } from '../protocol/json.ts'
import { ConfigFile } from './config-json.ts'
import { isNewer, readVersion } from './data-version.ts'
import type { Log } from '../log/log.ts'
import { MetadataJournal } from './metadata-journal.ts'

/** RingMQ's own file; Apache leaves it alone. */
export const JOURNAL_NAME = 'ringmq-metadata.journal'

/** From the first change to the write of the JSON. */
const FOLD_DELAY_MS = 1000
/** Writing big tables may take this share of the time at most: the delay grows with the last write. */
const FOLD_SHARE = 1 / 20
const FOLD_RETRY_MS = 5000

/** An entry of a table as it is from now on; `value` null: it is gone. */
export interface Change {
  name: string
  value: JsonValue
  /** The table's version with this change. */
  version: DataVersion
}

/** A change on its way to the disk: `value` is JSON text, `null` for an entry that is gone. */
export interface NewChange {
  name: string
  value: string
  version: DataVersion
}

/** How a table comes back: its JSON file, and the changes that came after it. */
export interface SavedTable {
  json: JsonObject | null
  changes: Change[]
}

interface Table {
  name: string
  file: ConfigFile
  toText: () => string
  isDirty: boolean
}

export class MetadataFiles {
  readonly #folder: string
  readonly #log: Log
  readonly #journal: MetadataJournal
  readonly #found: Map<string, Change[]>
  readonly #tables = new Map<string, Table>()
  #timer: NodeJS.Timeout | null = null
  #folding: Promise<void> = Promise.resolve()
  #lastFoldMs = 0
  #isFailing = false
  #isClosed = false

  private constructor(folder: string, log: Log, journal: MetadataJournal, texts: string[]) {
    this.#folder = folder
    this.#log = log
    this.#journal = journal
    this.#found = groupByTable(texts)
  }

  /** Opens `<folder>/ringmq-metadata.journal`, which exists from now on. */
  static async open(folder: string, log: Log): Promise<MetadataFiles> {
    const { journal, texts } = await MetadataJournal.open(join(folder, JOURNAL_NAME))
    return new MetadataFiles(folder, log, journal, texts)
  }

  /**
   * Reads the table kept in `<name>.json`; `toText` is asked for that file's content from now on.
   * Changes that are not newer than the JSON are left out: it has them, or was written by a later
   * run of Apache's broker, which knows of no journal. Throws ConfigFileError.
   */
  async load(name: string, toText: () => string): Promise<SavedTable> {
    const file = new ConfigFile(join(this.#folder, `${name}.json`), this.#log)
    const json = await file.load()
    const base = readVersion(json?.get('dataVersion'))
    const changes = (this.#found.get(name) ?? []).filter((change) => isNewer(change.version, base))
    this.#found.delete(name)
    this.#tables.set(name, { name, file, toText, isDirty: false })
    if (json === null || changes.length > 0) this.touch(name)
    return { json, changes }
  }

  /** Resolves when the change is durable. Rejects with JournalError: then it is not, but may become so. */
  record(table: string, { name, value, version }: NewChange): Promise<void> {
    this.touch(table)
    const head = JSON.stringify({ table, name, version })
    return this.#journal.append(`${head.slice(0, -1)},"value":${value}}`)
  }

  /** Resolves when every change so far is durable or has failed. */
  settled(): Promise<void> {
    return this.#journal.settled()
  }

  /** The table's JSON is to be written: something in it changed that needs no journal. */
  touch(name: string): void {
    this.#tables.get(name)!.isDirty = true
    this.#foldIn(Math.max(FOLD_DELAY_MS, this.#lastFoldMs / FOLD_SHARE))
  }

  /** Lets go of the files and writes nothing: tables that were not read whole must not be written. */
  async abandon(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#journal.close()
  }

  /** Writes what is not in the JSONs yet and lets go of the files. Failures are logged: the journal has it. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#journal.settled()
    await this.#fold()
    await this.#journal.close()
  }

  #foldIn(delayMs: number): void {
    if (this.#timer !== null || this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      void this.#fold()
    }, delayMs)
  }

  #fold(): Promise<void> {
    this.#folding = this.#folding.then(() => this.#tryFold())
    return this.#folding
  }

  async #tryFold(): Promise<void> {
    const start = performance.now()
    try {
      const isEmpty = await this.#writeTables()
      this.#lastFoldMs = performance.now() - start
      if (this.#isFailing) this.#log.info({ folder: this.#folder }, 'metadata is written again')
      this.#isFailing = false
      if (!isEmpty) this.#foldIn(FOLD_RETRY_MS)
    } catch (error) {
      if (!this.#isFailing) this.#log.error({ error }, 'metadata cannot be written, trying again')
      this.#isFailing = true
      this.#foldIn(FOLD_RETRY_MS)
    }
  }

  /** Whether the journal could be emptied after it; a change that came meanwhile keeps it. */
  async #writeTables(): Promise<boolean> {
    const { length } = this.#journal // what is below is in the tables already
    for (const table of this.#tables.values()) if (table.isDirty) await writeTable(table)
    return this.#journal.clear(length)
  }
}

async function writeTable(table: Table): Promise<void> {
  table.isDirty = false // first: a change during the write makes it dirty again
  try {
    await table.file.save(table.toText())
  } catch (error) {
    table.isDirty = true
    throw error
  }
}

function groupByTable(texts: string[]): Map<string, Change[]> {
  const tables = new Map<string, Change[]>()
  for (const text of texts) {
    const record = parseJson(text) as JsonObject // its CRC holds: we wrote it
    const table = record.get('table') as string
    const change = {
      name: record.get('name') as string,
      value: record.get('value') ?? null,
      version: readVersion(record.get('version')),
    }
    if (!tables.has(table)) tables.set(table, [])
    tables.get(table)!.push(change)
  }
  return tables
}
