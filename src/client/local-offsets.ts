import { mkdirSync, readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { LocalOffsetTable } from '../protocol/bodies/consumer-offset.ts'
import { ClientError } from './client-error.ts'
import type { GroupOffsets } from './group-offsets.ts'
import { queueKey, type MessageQueue } from './message-queue.ts'
import type { OffsetStore } from './offset-store.ts'

export interface LocalPlace {
  /** Default: `.rocketmq_offsets` in the home of the user. */
  readonly folder?: string | undefined
  readonly clientId: string
  readonly group: string
}

/** Two consumers of one process must not write one file. */
const openFiles = new Set<string>()

/**
 * How far a broadcast consumer has come, in a file of its own, where Apache's clients look for it and as they write it
 * (5.3.3, LocalFileOffsetStore): `FOLDER/CLIENT/GROUP/offsets.json`, and the one before as `offsets.json.bak`.
 */
export class LocalOffsets implements OffsetStore {
  readonly #path: string
  readonly #brokers: GroupOffsets
  readonly #offsets: Map<string, [MessageQueue, number]>
  #isChanged = false
  /** Will hold what is committed now. */
  #next: Promise<void> | null = null
  /** The last one begun; never rejects. */
  #last: Promise<unknown> = Promise.resolve()

  /** Throws ClientError when the file cannot be read, or is in use by another consumer here. */
  constructor(place: LocalPlace, brokers: GroupOffsets) {
    this.#path = pathOf(place)
    this.#brokers = brokers
    if (openFiles.has(this.#path)) throw new ClientError(inUse(this.#path))
    this.#offsets = new Map(read(this.#path).map((entry) => [queueKey(entry[0]), [...entry]]))
    openFiles.add(this.#path)
  }

  committed(queue: MessageQueue): Promise<number | null> {
    return Promise.resolve(this.#offsets.get(queueKey(queue))?.[1] ?? null)
  }

  /** Those of one moment are written at once. */
  commit({ topic, brokerName, queueId }: MessageQueue, offset: number): Promise<void> {
    const queue = { topic, brokerName, queueId }
    const key = queueKey(queue)
    this.#isChanged ||= this.#offsets.get(key)?.[1] !== offset
    this.#offsets.set(key, [queue, offset])
    if (this.#next !== null) return this.#next
    const next = this.#last.then(() => this.#write())
    this.#last = next.catch(() => {}) // whoever commits hears of it
    this.#next = next
    return next
  }

  commitOneway(queue: MessageQueue, offset: number): Promise<void> {
    return this.commit(queue, offset)
  }

  max(queue: MessageQueue): Promise<number> {
    return this.#brokers.max(queue)
  }

  search(queue: MessageQueue, timestamp: number): Promise<number> {
    return this.#brokers.search(queue, timestamp)
  }

  /** Others here may use the file. */
  async close(): Promise<void> {
    await this.#last
    openFiles.delete(this.#path)
  }

  async #write(): Promise<void> {
    this.#next = null
    if (!this.#isChanged) return
    this.#isChanged = false
    try {
      await this.#replace(LocalOffsetTable.encode({ offsetTable: [...this.#offsets.values()] }))
    } catch (error) {
      this.#isChanged = true
      throw error
    }
  }

  async #replace(bytes: Uint8Array): Promise<void> {
    mkdirSync(dirname(this.#path), { recursive: true })
    const file = await open(`${this.#path}.tmp`, 'w')
    try {
      await file.writeFile(bytes)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(this.#path, `${this.#path}.bak`).catch(unlessMissing)
    await rename(`${this.#path}.tmp`, this.#path)
  }
}

function pathOf({ folder, clientId, group }: LocalPlace): string {
  if (/[/\\\0]/.test(clientId)) {
    throw new ClientError(`client id ${JSON.stringify(clientId)} becomes a folder: no / and no \\`)
  }
  return join(folder ?? join(homedir(), '.rocketmq_offsets'), clientId, group, 'offsets.json')
}

function inUse(path: string): string {
  return `another consumer of this process keeps its offsets in ${path}: give each its instanceName`
}

/** The one before when the file is missing or damaged. Throws ClientError when both are damaged. */
function read(path: string): readonly (readonly [MessageQueue, number])[] {
  const problems: string[] = []
  for (const candidate of [path, `${path}.bak`]) {
    try {
      return [...LocalOffsetTable.decode(readFileSync(candidate)).offsetTable]
    } catch (error) {
      if (isMissing(error)) continue
      problems.push(`${candidate}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (problems.length === 0) return []
  throw new ClientError(`offsets cannot be read, mend or remove the files. ${problems.join('; ')}`)
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function unlessMissing(error: unknown): void {
  if (!isMissing(error)) throw error
}
