import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { LogFiles } from '../store/log-files.ts'
import { listManifests } from '../store/manifest.ts'
import { checkCheckpoint } from './checkpoint-check.ts'
import { checkConfig } from './config-check.ts'
import { Findings, type Finding, type Place } from './finding.ts'
import { judgeLog, type LogJudged } from './log-end.ts'
import { tellMisnamed, type Misnamed } from './misnamed.ts'
import type { QueueAsked } from './queue-check.ts'
import { queueKey } from './queue-match.ts'
import { readOnlyDisk } from './read-only-disk.ts'
import { mapStore, shownPath, type QueueFiles, type StoreMap } from './store-map.ts'
import { openTaskRunner, type TaskRunner } from './task-pool.ts'

/** Queues in one task: there may be tens of thousands, most of them short. */
const QUEUES_PER_TASK = 64
const FINDINGS_MAX = 10_000

/** What was looked at, and what is wrong. */
export interface Report {
  root: string
  files: number
  messages: number
  messageBytes: number
  entries: number
  indexItems: number
  /** Bytes of the log whose checksum a manifest knows. */
  manifestBytes: number
  minPosition: number
  end: number
  /** What is true of the store and no damage. */
  notes: string[]
  /** Damaged messages whose entries are right. */
  misnamed: Misnamed[]
  /** All of them; `findings` are the first. */
  findingCount: number
  findings: Finding[]
  /** Files and queues with findings, kept or not: a repair goes by these. */
  places: Place[]
}

export interface FsckOptions {
  root: string
  /** Threads; 0 for none besides this one. */
  jobs: number
  /** Bytes that were checked so far, of all. */
  onProgress?: (done: number, total: number) => void
  /** Findings that the report has at most; all are counted. */
  findingsMax?: number
}

/** There is no store to check, or not enough of one. */
export class FsckError extends Error {
  override name = 'FsckError'
}

/** Checks a store that nobody uses. Changes nothing. @throws FsckError */
export async function checkStore(options: FsckOptions): Promise<{ report: Report; map: StoreMap }> {
  const { root, jobs } = options
  if (!existsSync(root)) throw new FsckError(`${root} is not there`)
  if (!existsSync(join(root, 'commitlog'))) {
    throw new FsckError(`${root} is no store: it has no folder commitlog`)
  }
  const runner = openTaskRunner(jobs)
  try {
    return await new Fsck(runner, options).run()
  } finally {
    await runner.close()
  }
}

class Fsck {
  readonly #runner: TaskRunner
  readonly #options: FsckOptions
  readonly #findings: Findings
  readonly #map: StoreMap
  readonly #misnamed: Misnamed[] = []
  #doneBytes = 0
  #totalBytes = 0

  constructor(runner: TaskRunner, options: FsckOptions) {
    this.#runner = runner
    this.#options = options
    this.#findings = new Findings(options.findingsMax ?? FINDINGS_MAX)
    this.#map = mapStore(readOnlyDisk, options.root, this.#findings)
  }

  async run(): Promise<{ report: Report; map: StoreMap }> {
    const map = this.#map
    const manifests = listManifests(readOnlyDisk, map.root)
    this.#totalBytes =
      map.log.starts.length * map.log.fileSize + manifests.length * map.log.fileSize
    const segments = await Promise.all(
      map.log.starts.map(async (start) => {
        const segment = await this.#runner.run({ kind: 'segment', map, start })
        this.#progress(map.log.fileSize)
        return segment
      }),
    )
    for (const { found } of segments) this.#findings.addAll(found)
    const log = judgeLog(map, segments, this.#findings)
    const entries = await this.#checkQueues(log)
    await this.#checkIndex()
    this.#tellMisnamed()
    const manifestBytes = await this.#checkManifests(manifests)
    checkCheckpoint(readOnlyDisk, map, log, this.#findings)
    checkConfig(readOnlyDisk, map, this.#findings)
    return { report: this.#report(log, { entries, manifestBytes }), map }
  }

  async #checkQueues({ matched, minPosition, end }: LogJudged): Promise<number> {
    const ask = (queue: QueueFiles): QueueAsked => {
      const count = matched.get(queueKey(queue.topic, queue.queueId)) ?? 0
      return { queue, matched: count, minPosition, end }
    }
    // The queues travel with the task: the map without them.
    const map = { ...this.#map, queues: [], batchQueues: [] }
    const tasks = [
      ...lotsOf(this.#map.queues, QUEUES_PER_TASK).map((lot) => ({ lot, isBatch: false })),
      ...lotsOf(this.#map.batchQueues, QUEUES_PER_TASK).map((lot) => ({ lot, isBatch: true })),
    ]
    const checked = await Promise.all(
      tasks.map(({ lot, isBatch }) =>
        this.#runner.run({ kind: 'queues', map, asked: lot.map(ask), isBatch }),
      ),
    )
    const all = checked.flat()
    for (const { found } of all) this.#findings.addAll(found)
    for (const { misnamed } of all) for (const each of misnamed) this.#misnamed.push(each)
    return all.reduce((sum, { units }) => sum + units, 0)
  }

  #tellMisnamed(): void {
    const files = new LogFiles(readOnlyDisk, this.#map.log)
    const fileOf = (position: number) =>
      shownPath(this.#map.root, files.path(files.startOfFile(position)))
    tellMisnamed(this.#misnamed, fileOf, this.#findings)
  }

  async #checkIndex(): Promise<void> {
    const map = { ...this.#map, queues: [], batchQueues: [] }
    const checked = await Promise.all(
      map.indexFiles.map((name) => this.#runner.run({ kind: 'index', map, name })),
    )
    for (const { found } of checked) this.#findings.addAll(found)
  }

  async #checkManifests(names: readonly string[]): Promise<number> {
    const map = { ...this.#map, queues: [], batchQueues: [] }
    const checked = await Promise.all(
      names.map(async (name) => {
        const result = await this.#runner.run({ kind: 'manifest', map, name })
        this.#progress(map.log.fileSize)
        return result
      }),
    )
    for (const { found } of checked) this.#findings.addAll(found)
    return checked.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  #progress(bytes: number): void {
    this.#doneBytes += bytes
    this.#options.onProgress?.(this.#doneBytes, this.#totalBytes)
  }

  #report(
    log: LogJudged,
    { entries, manifestBytes }: { entries: number; manifestBytes: number },
  ): Report {
    const { root, indexFiles, queues, batchQueues } = this.#map
    const logFiles = this.#map.log.starts.length
    const queueFiles = [...queues, ...batchQueues].reduce(
      (sum, { starts }) => sum + starts.length,
      0,
    )
    const { kept, places } = this.#findings.found()
    return {
      root,
      files: logFiles + queueFiles + indexFiles.length,
      messages: log.records,
      messageBytes: log.bytes,
      entries,
      indexItems: log.items,
      manifestBytes,
      minPosition: log.minPosition,
      end: log.end,
      notes: log.notes(new Set(this.#misnamed.map(({ position }) => position))),
      misnamed: this.#misnamed,
      findingCount: this.#findings.total,
      findings: kept,
      places,
    }
  }
}

function lotsOf<T>(all: readonly T[], size: number): T[][] {
  const lots: T[][] = []
  for (let at = 0; at < all.length; at += size) lots.push(all.slice(at, at + size))
  return lots
}
