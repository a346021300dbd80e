import { readdirSync, readFileSync } from 'node:fs'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkStore } from '../../src/fsck/fsck.ts'
import { repairStore } from '../../src/fsck/repair.ts'
import { LogFiles } from '../../src/store/log-files.ts'
import { LogScan } from '../../src/store/log-scan.ts'
import { readOnlyDisk } from '../../src/fsck/read-only-disk.ts'
import { GOLDEN_QUEUE_FILE_SIZE, goldenLogFileSize, unpackGolden } from './golden-store.ts'
import { StoreRig } from './store-rig.ts'

/** A store in memory: its files, and the records of its log. */
export interface SmallStore {
  name: string
  logFileSize: number
  queueFileSize: number
  /** Paths below its folder. */
  files: ReadonlyMap<string, Buffer>
  records: readonly { position: number; length: number }[]
  /** Every byte of its log is under the checksum of a manifest. */
  hasManifests: boolean
}

/** Apache's, all of which are clean. */
const GOLDEN = ['basic', 'rollover', 'kill9', 'transaction', 'retry-dlq', 'ipv6-v2', 'lmq']
const MADE_MS = 1_700_000_000_000

/** Each once as it is and once with manifests. `folder` is for the making. */
export async function smallStores(folder: string): Promise<SmallStore[]> {
  const stores: SmallStore[] = []
  for (const name of GOLDEN) {
    const root = unpackGolden(name, folder)
    const sizes = { logFileSize: goldenLogFileSize(name), queueFileSize: GOLDEN_QUEUE_FILE_SIZE }
    stores.push(...(await bothKinds({ name, root, ...sizes })))
  }
  const root = join(folder, 'ours')
  const sizes = { logFileSize: 16_384, queueFileSize: 400 }
  writeOurs(root, sizes)
  stores.push(...(await bothKinds({ name: 'ours', root, ...sizes })))
  return stores
}

/** Writes it into a folder. */
export function unpackStore({ files }: SmallStore, root: string): void {
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), bytes)
  }
}

function writeOurs(root: string, sizes: { logFileSize: number; queueFileSize: number }): void {
  const rig = new StoreRig({ root, windowSize: 1 << 16, slack: 4096, ...sizes })
  rig.createTopic('Topic', 2)
  rig.createTopic('Other', 1)
  for (let nth = 0; nth < 150; nth++) {
    const topic = nth % 5 === 0 ? 'Other' : 'Topic'
    const queueId = topic === 'Other' ? 0 : nth % 2
    const properties = `TAGS\u0001T${nth % 3}\u0002KEYS\u0001k${nth}\u0002`
    rig.clock.time++
    rig.append({ topic, queueId, properties, body: 'x'.repeat((nth * 37) % 500) })
    rig.settle()
  }
  rig.stop()
}

type Made = Omit<SmallStore, 'files' | 'records' | 'hasManifests'> & { root: string }

async function bothKinds(made: Made): Promise<SmallStore[]> {
  const { map, report } = await checkStore({ root: made.root, jobs: 0 })
  if (report.findingCount > 0) throw new Error(`${made.name}: ${report.findings[0]!.text}`)
  const plain = readStore(made, false)
  await repairStore(map, report, { nowMs: MADE_MS })
  return [plain, readStore({ ...made, name: `${made.name}, with manifests` }, true)]
}

function readStore({ root, ...made }: Made, hasManifests: boolean): SmallStore {
  const paths = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => path !== 'timerwheel' && path !== 'lock') // nobody reads them
    .toSorted()
  const files = new Map(paths.map((path) => [path, readFileSync(join(root, path))]))
  return { ...made, files, records: recordsOf(root, made.logFileSize), hasManifests }
}

function recordsOf(root: string, fileSize: number): { position: number; length: number }[] {
  const directory = join(root, 'commitlog')
  const records: { position: number; length: number }[] = []
  const starts = readdirSync(directory).map(Number)
  const files = new LogFiles(readOnlyDisk, { directory, fileSize })
  for (const start of starts) {
    const scan = new LogScan(files, { checkCrc: true, timestamp: 0, isMiddle: () => true })
    scan.run(start, start + fileSize, ({ length }, _, position) => {
      records.push({ position, length })
    })
  }
  files.closeAll()
  return records.toSorted((a, b) => a.position - b.position)
}
