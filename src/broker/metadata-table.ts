import type { Clock } from '../base/clock.ts'
import type { DataVersion } from '../protocol/bodies/data-version.ts'
import { quoteJson } from '../protocol/json-quote.ts'
import type { Body } from '../protocol/json-shape.ts'
import type { JsonObject, JsonValue } from '../protocol/json.ts'
import { firstVersion, nextVersion, readVersion } from './data-version.ts'
import type { MetadataFiles } from './metadata-files.ts'

export interface MetadataTableParts<T> {
  /** Of its file, without `.json`. */
  name: string
  /** Where the entries stand in that file. */
  member: string
  body: Body<T>
  files: MetadataFiles
  clock: Clock
}

/** Named things with one version, kept in a JSON file of Apache's form and in the journal. */
export class MetadataTable<T> {
  readonly #parts: MetadataTableParts<T>
  readonly #entries = new Map<string, T>()
  /** The last thing under way for each name. */
  readonly #underWay = new Map<string, Promise<void>>()
  /** Other members of the file, written back as text. */
  readonly #others = new Map<string, string>()
  #version: DataVersion

  constructor(parts: MetadataTableParts<T>) {
    this.#parts = parts
    this.#version = firstVersion(parts.clock.now())
  }

  get version(): DataVersion {
    return this.#version
  }

  get size(): number {
    return this.#entries.size
  }

  get(name: string): T | undefined {
    return this.#entries.get(name)
  }

  /** As `get`, but undefined also while a change of it is under way: `inOrder` waits for that. */
  settled(name: string): T | undefined {
    return this.#underWay.has(name) ? undefined : this.#entries.get(name)
  }

  /** Live: do not change what it holds. */
  get all(): ReadonlyMap<string, T> {
    return this.#entries
  }

  /** Reads what the last run left. Returns the file's JSON, null when there is none. Throws JsonError, ConfigFileError. */
  async load(): Promise<JsonObject | null> {
    const { name, member, body, files } = this.#parts
    const { json, changes } = await files.load(name, () => this.#toText())
    if (json !== null) this.#version = readVersion(json.get('dataVersion'))
    for (const [key, value] of entriesOf(json?.get(member))) {
      this.#entries.set(key, body.read(value, `${name}.json: ${key}`))
    }
    for (const change of changes) {
      if (change.value === null) this.#entries.delete(change.name)
      else this.#entries.set(change.name, body.read(change.value))
      this.#version = change.version
    }
    return json
  }

  /**
   * Adds an entry that belongs to every broker, or puts it in the place of one that will not do: no change of the
   * table, only to be written with it.
   */
  addMissing(name: string, value: T, willDo: (known: T) => boolean = () => true): void {
    const known = this.#entries.get(name)
    if (known !== undefined && willDo(known)) return
    this.#entries.set(name, value)
    this.#parts.files.touch(this.#parts.name)
  }

  /** Writes another member of the file with each generation: JSON text. */
  keepMember(member: string, json: string): void {
    this.#others.set(member, json)
  }

  /** Seen at once, durable when it resolves. Rejects with JournalError: then it is seen, but may get lost. */
  set(name: string, value: T): Promise<void> {
    this.#entries.set(name, value)
    return this.#record(name, this.#parts.body.write(value))
  }

  delete(name: string): Promise<void> {
    this.#entries.delete(name)
    return this.#record(name, 'null')
  }

  /** Runs what changes one name one after the other, each from its check to its last effect. */
  inOrder<R>(name: string, task: () => Promise<R>): Promise<R> {
    const before = this.#underWay.get(name) ?? Promise.resolve()
    const run = before.then(task)
    const done = run.then(ignore, ignore) // whoever asked for it hears how it went
    this.#underWay.set(name, done)
    void done.then(() => {
      if (this.#underWay.get(name) === done) this.#underWay.delete(name)
    })
    return run
  }

  #record(name: string, value: string): Promise<void> {
    const { files, clock } = this.#parts
    this.#version = nextVersion(this.#version, clock.now())
    return files.record(this.#parts.name, { name, value, version: this.#version })
  }

  /** One entry a line: Apache reads any layout, and people read this one. */
  #toText(): string {
    const { member, body } = this.#parts
    const lines = Array.from(this.#entries, ([name, value]) => {
      return `\n\t\t${quoteJson(name)}:${body.write(value)}`
    })
    const others = Array.from(this.#others, ([name, json]) => `\t${quoteJson(name)}:${json},\n`)
    const version = JSON.stringify(this.#version)
    const table = `{${lines.join(',')}\n\t}`
    return `{\n\t"dataVersion":${version},\n${others.join('')}\t"${member}":${table}\n}\n`
  }
}

function ignore(): void {}

function entriesOf(table: JsonValue | undefined): [string, JsonValue][] {
  const entries = table instanceof Map ? [...table] : []
  return entries.filter((entry): entry is [string, JsonValue] => typeof entry[0] === 'string')
}
