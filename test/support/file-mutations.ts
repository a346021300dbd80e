/**
 * Damages small stores in every way that files get damaged, and holds broker and fsck to their promises:
 * a start works or says which file is wrong, no message with a wrong checksum is served, and fsck
 * finds every change of a record.
 *
 *   node test/support/file-mutations.ts --count 10000 --seed 1 [--out result.json]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from '../../bench/lab/machine.ts'
import { checkStore } from '../../src/fsck/fsck.ts'
import { Random } from '../sim/random.ts'
import { MUTATIONS, mutate, type MutationKind } from './mutate-file.ts'
import { serveAll } from './served-store.ts'
import { smallStores, unpackStore, type SmallStore } from './small-stores.ts'

/** Errors that a start may end with: they name the file. */
const REFUSALS = new Set(['StoreError', 'ConfigFileError'])

export interface MutationReport {
  seed: number
  mutations: number
  byKind: Record<string, number>
  /** Mutations of which fsck said something. */
  found: number
  /** That changed bytes of a record; all of them must be found where manifests are. */
  recordsChanged: number
  recordsFound: number
  /**
   * Changes of records in stores without manifests that nothing could tell: properties that are in no
   * index, times, hosts and flags are under no checksum, here and at Apache's.
   */
  recordsUnprotected: number
  /** Starts that were refused with the name of the file. */
  refused: number
  started: number
  /** Messages with a wrong checksum that were served. */
  wrongServed: number
  /** What broke a promise: seed and words. */
  violations: string[]
}

interface Mutation {
  store: SmallStore
  path: string
  kind: MutationKind
  bytes: Buffer
}

export interface MutationOptions {
  count: number
  seed: number
  /** For the stores; on a memory disk it is done sooner. */
  folder: string
  onProgress?: (report: MutationReport) => void
}

export async function runMutations(options: MutationOptions): Promise<MutationReport> {
  const stores = await smallStores(join(options.folder, 'originals'))
  const run = new MutationRun(options, stores)
  return run.run()
}

class MutationRun {
  readonly #options: MutationOptions
  readonly #stores: readonly SmallStore[]
  readonly #report: MutationReport

  constructor(options: MutationOptions, stores: readonly SmallStore[]) {
    this.#options = options
    this.#stores = stores
    this.#report = {
      seed: options.seed,
      mutations: 0,
      byKind: {},
      found: 0,
      recordsChanged: 0,
      recordsFound: 0,
      recordsUnprotected: 0,
      refused: 0,
      started: 0,
      wrongServed: 0,
      violations: [],
    }
  }

  async run(): Promise<MutationReport> {
    const report = this.#report
    for (let seed = this.#options.seed; report.mutations < this.#options.count; seed++) {
      const mutation = this.#choose(new Random(seed))
      if (mutation === null) continue
      await this.#try(mutation, seed)
      report.mutations++
      report.byKind[mutation.kind] = (report.byKind[mutation.kind] ?? 0) + 1
      if (report.mutations % 500 === 0) this.#options.onProgress?.(report)
    }
    return report
  }

  /** The log is most of a store, and what matters most; then any file. */
  #choose(random: Random): Mutation | null {
    const store = random.pick(this.#stores)
    const paths = [...store.files.keys()]
    const logs = paths.filter((path) => path.startsWith('commitlog/'))
    const path = random.oneIn(2) ? random.pick(logs) : random.pick(paths)
    const kind = random.pick(MUTATIONS)
    const bytes = mutate(store.files.get(path)!, kind, random)
    return bytes === null ? null : { store, path, kind, bytes }
  }

  async #try(mutation: Mutation, seed: number): Promise<void> {
    const { store, path, kind, bytes } = mutation
    const root = join(this.#options.folder, 'store')
    const what = `seed ${seed}: ${kind} of ${store.name}, ${path}`
    try {
      unpackStore(store, root)
      writeFileSync(join(root, path), bytes)
      await this.#check(mutation, root, what)
      await this.#start(store, root, what)
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  }

  async #check(mutation: Mutation, root: string, what: string): Promise<void> {
    const report = this.#report
    const isRecord = changesRecord(mutation)
    if (isRecord) report.recordsChanged++
    try {
      const { findingCount } = (await checkStore({ root, jobs: 0 })).report
      if (findingCount > 0) report.found++
      if (isRecord && findingCount > 0) report.recordsFound++
      else if (isRecord && mutation.store.hasManifests) {
        report.violations.push(`${what}: fsck does not find it`)
      } else if (isRecord) report.recordsUnprotected++
    } catch (error) {
      report.violations.push(`${what}: fsck ends with ${String((error as Error).stack)}`)
    }
  }

  async #start(store: SmallStore, root: string, what: string): Promise<void> {
    const report = this.#report
    try {
      const { wrong } = await serveAll(root, store)
      report.started++
      report.wrongServed += wrong
      if (wrong > 0) report.violations.push(`${what}: ${wrong} wrong messages are served`)
    } catch (error) {
      const { name, message } = error as Error
      if (REFUSALS.has(name) && message.includes(root)) report.refused++
      else report.violations.push(`${what}: a start ends with ${String((error as Error).stack)}`)
    }
  }
}

/** Whether bytes of a record of the log are not what they were. */
function changesRecord({ store, path, bytes }: Mutation): boolean {
  if (dirname(path) !== 'commitlog') return false
  const start = Number(path.slice('commitlog/'.length))
  const before = store.files.get(path)!
  return store.records.some(({ position, length }) => {
    if (position < start || position >= start + store.logFileSize) return false
    const [from, to] = [position - start, position - start + length]
    return to > bytes.length || before.compare(bytes, from, to, from, to) !== 0
  })
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
    },
  })
  const folder = mkdtempSync(join(tmpdir(), 'ringmq-mutations-'))
  const startedAt = performance.now()
  try {
    const [count, seed] = [Number(values.count), Number(values.seed)]
    const onProgress = ({ mutations, violations }: MutationReport) => {
      console.log(`${mutations} mutations, ${violations.length} violations`)
    }
    const report = await runMutations({ count, seed, folder, onProgress })
    const question = 'what do broker and fsck make of stores whose files are damaged?'
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    const result = { question, machine: describeMachine(), seconds, ...report }
    const text = `${JSON.stringify(result, null, 2)}\n`
    if (values.out !== undefined) writeFileSync(values.out, text)
    console.log(text)
    process.exitCode = report.violations.length === 0 ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (import.meta.main) await main()
