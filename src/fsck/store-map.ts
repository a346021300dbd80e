import { statSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { parseJson, type JsonObject } from '../protocol/json.ts'
import { UNIT_LENGTH } from '../store/consume-queue.ts'
import { DeletedTopics } from '../store/deleted-topics.ts'
import { ABORT_FILE } from '../store/last-stop.ts'
import { logFileName } from '../store/log-files.ts'
import { BATCH_UNIT_LENGTH } from './batch-unit.ts'
import { Part, type Findings } from './finding.ts'

const NAME = /^\d{20}$/

/** The files of one log, queue or extension: start positions in their order. */
export interface Segments {
  /** The folder. */
  directory: string
  starts: number[]
  fileSize: number
}

/** A queue's folder. */
export interface QueueFiles extends Segments {
  topic: string
  queueId: number
}

/** What lies where in a store. Plain data: every task of the check gets it. */
export interface StoreMap {
  root: string
  log: Segments
  queues: QueueFiles[]
  batchQueues: QueueFiles[]
  /** Names in index/, ascending, which is their order in time. */
  indexFiles: string[]
  /** The stop was not clean: a start will look at the end of everything. */
  isAborted: boolean
  /** From topics.json; null when there is none that can be read. */
  topics: string[] | null
  /** Topics that were deleted, and the end of the log at that time. */
  deletedBelow: Map<string, number>
}

/** Finds the files of a store and their sizes, which are recorded nowhere. */
export function mapStore(disk: Disk, root: string, findings: Findings): StoreMap {
  const logDirectory = join(root, 'commitlog')
  const starts = numbersIn(disk, root, logDirectory, findings)
  const fileSize = fileSizeOf(logDirectory, starts)
  const log = { directory: logDirectory, starts, fileSize }
  return {
    root,
    log,
    queues: mapQueues(disk, root, { folder: 'consumequeue', unit: UNIT_LENGTH }, findings),
    batchQueues: mapQueues(
      disk,
      root,
      { folder: 'batchconsumequeue', unit: BATCH_UNIT_LENGTH },
      findings,
    ),
    indexFiles: indexFilesIn(disk, root, findings),
    isAborted: disk.exists(join(root, ABORT_FILE)),
    topics: topicsOf(disk, root),
    deletedBelow: new Map(new DeletedTopics(disk, root).below),
  }
}

/** As it is told: below the store's folder. */
export function shownPath(root: string, path: string): string {
  const shown = relative(root, path)
  return shown.startsWith('..') ? path : shown
}

function numbersIn(disk: Disk, root: string, directory: string, findings: Findings): number[] {
  if (!disk.exists(directory)) return []
  const starts: number[] = []
  for (const { name, isDirectory } of disk.list(directory)) {
    if (isDirectory) continue
    if (NAME.test(name) && Number.isSafeInteger(Number(name))) starts.push(Number(name))
    else {
      const file = shownPath(root, join(directory, name))
      findings.add({ part: Part.FILE, file, text: 'no file of this kind; a broker does not start' })
    }
  }
  return starts.toSorted((a, b) => a - b)
}

/** The size that most files have and that all names are multiples of; else the distance between names. */
function fileSizeOf(directory: string, starts: readonly number[]): number {
  const size = mostCommon(
    starts
      .map((start) => statSync(join(directory, logFileName(start))).size)
      .filter((each) => each > 0 && starts.every((start) => start % each === 0)),
  )
  if (size !== undefined) return size
  return Math.min(...starts.slice(1).map((start, nth) => start - starts[nth]!), starts[0] ?? 0)
}

function mostCommon(sizes: readonly number[]): number | undefined {
  const counts = new Map<number, number>()
  for (const size of sizes) counts.set(size, (counts.get(size) ?? 0) + 1)
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0]
}

function mapQueues(
  disk: Disk,
  root: string,
  { folder, unit }: { folder: string; unit: number },
  findings: Findings,
): QueueFiles[] {
  const queues: QueueFiles[] = []
  const base = join(root, folder)
  for (const topic of directoriesIn(disk, base)) {
    for (const queueId of directoriesIn(disk, join(base, topic))) {
      if (!/^\d{1,9}$/.test(queueId)) continue // Apache 5.3.3 passes over them
      const directory = join(base, topic, queueId)
      const starts = numbersIn(disk, root, directory, findings)
      queues.push({ topic, queueId: Number(queueId), directory, starts, fileSize: 0 })
    }
  }
  const fileSize = commonSize(queues, unit)
  return queues.map((queue) => ({ ...queue, fileSize }))
}

function directoriesIn(disk: Disk, path: string): string[] {
  if (!disk.exists(path)) return []
  const entries = disk.list(path)
  return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name)
}

/** All files of all queues have one size: the one that most have. */
function commonSize(queues: readonly QueueFiles[], unit: number): number {
  const sizes = queues.flatMap(({ directory, starts }) =>
    starts.map((start) => statSync(join(directory, logFileName(start))).size),
  )
  return mostCommon(sizes.filter((size) => size > 0 && size % unit === 0)) ?? 300_000 * unit
}

function indexFilesIn(disk: Disk, root: string, findings: Findings): string[] {
  const directory = join(root, 'index')
  if (!disk.exists(directory)) return []
  const names = disk.list(directory).filter(({ isDirectory }) => !isDirectory)
  for (const { name } of names) {
    if (/^\d{17}$/.test(name)) continue
    const text = 'no index file: their names are times in 17 digits'
    findings.add({ part: Part.FILE, file: shownPath(root, join(directory, name)), text })
  }
  return names
    .map(({ name }) => name)
    .filter((name) => /^\d{17}$/.test(name))
    .toSorted()
}

/** Which topics there are tells a queue that was deleted from one that was lost. */
function topicsOf(disk: Disk, root: string): string[] | null {
  for (const name of ['topics.json', 'topics.json.bak']) {
    const path = join(root, 'config', name)
    if (!disk.exists(path)) continue
    try {
      const table = (parseJson(disk.readFile(path)) as JsonObject).get('topicConfigTable')
      if (table instanceof Map) return [...table.keys()].map(String)
    } catch {
      continue // the check of the config files tells of it
    }
  }
  return null
}
