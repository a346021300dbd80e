import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type * as Agent from '../../src/ring/agent.ts'
import type * as ByteRing from '../../src/ring/byte-ring.ts'
import type * as DirtyBits from '../../src/ring/dirty-bits.ts'
import type * as Floor from '../../src/ring/floor.ts'
import type * as Lock from '../../src/ring/lock.ts'
import type * as Poison from '../../src/ring/poison.ts'
import type * as Position from '../../src/ring/position.ts'
import type * as Rows from '../../src/ring/rows.ts'
import type * as Signal from '../../src/ring/signal.ts'
import type * as HeldPulls from '../../src/broker/held-pulls.ts'
import type * as GatedReplies from '../../src/broker/gated-replies.ts'
import type * as DispatchAgent from '../../src/store/dispatch-agent.ts'
import type * as FlushAgent from '../../src/store/flush-agent.ts'
import type * as Checkpoint from '../../src/store/checkpoint.ts'
import type * as DeletedTopics from '../../src/store/deleted-topics.ts'
import type * as IndexFiles from '../../src/store/index-files.ts'
import type * as KeyIndex from '../../src/store/key-index.ts'
import type * as LastStop from '../../src/store/last-stop.ts'
import type * as LogAppender from '../../src/store/log-appender.ts'
import type * as LogFiles from '../../src/store/log-files.ts'
import type * as LogMemory from '../../src/store/log-memory.ts'
import type * as LogReader from '../../src/store/log-reader.ts'
import type * as LogWindow from '../../src/store/log-window.ts'
import type * as LogWriter from '../../src/store/log-writer.ts'
import type * as Recovery from '../../src/store/recovery.ts'
import type * as ScanDigest from '../../src/store/scan-digest.ts'
import type * as SpanDigest from '../../src/store/span-digest.ts'
import { importedNames, parseModule, type ParsedModule } from './step-source.ts'
import { plainModule, transformModules, type Place } from './step-transform.ts'
import { Stepper } from './stepper.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What is run step by step. */
const STEPPED = [
  'src/ring/position.ts',
  'src/ring/poison.ts',
  'src/ring/lock.ts',
  'src/ring/signal.ts',
  'src/ring/floor.ts',
  'src/ring/rows.ts',
  'src/ring/dirty-bits.ts',
  'src/ring/agent.ts',
  'src/ring/byte-ring.ts',
  'src/store/log-memory.ts',
  'src/store/log-window.ts',
  'src/store/log-appender.ts',
  'src/store/log-writer.ts',
  'src/store/log-reader.ts',
  'src/store/flush-agent.ts',
  'src/store/dispatch-agent.ts',
  'src/broker/held-pulls.ts',
] as const

/** Touches no shared memory, and is run as it is; but edits are made to it, too. In order of imports. */
const PLAIN = [
  'src/store/disk-error.ts',
  'src/store/replace-file.ts',
  'src/store/log-files.ts',
  'src/store/consume-queue.ts',
  'src/store/queue-tail.ts',
  'src/store/checkpoint.ts',
  'src/store/last-stop.ts',
  'src/store/deleted-topics.ts',
  'src/store/log-record.ts',
  'src/store/log-scan.ts',
  'src/store/log-recovery.ts',
  'src/store/queue-recovery.ts',
  'src/store/scan-digest.ts',
  'src/store/span-digest.ts',
  'src/store/queue-filler.ts',
  'src/store/stale-entries.ts',
  'src/store/recovery.ts',
  'src/broker/gated-replies.ts',
] as const

/** Called in stepped modules, done by the simulation. */
const GIVEN = ['pwrite', 'encodeInto', 'visible', 'stopped']

/** As PLAIN, but it imports what is stepped; it is called in one go all the same. */
const INDEX = [
  'src/store/index-files.ts',
  'src/store/index-gaps.ts',
  'src/store/index-writer.ts',
  'src/store/index-load.ts',
  'src/store/index-feed.ts',
  'src/store/key-index.ts',
] as const

export type SteppedExports = typeof Agent &
  typeof ByteRing &
  typeof DirtyBits &
  typeof Checkpoint &
  typeof DeletedTopics &
  typeof DispatchAgent &
  typeof Floor &
  typeof FlushAgent &
  typeof GatedReplies &
  typeof HeldPulls &
  typeof IndexFiles &
  typeof KeyIndex &
  typeof LastStop &
  typeof Lock &
  typeof LogAppender &
  typeof LogFiles &
  typeof LogMemory &
  typeof LogReader &
  typeof LogWindow &
  typeof LogWriter &
  typeof Poison &
  typeof Position &
  typeof Recovery &
  typeof Rows &
  typeof ScanDigest &
  typeof Signal &
  typeof SpanDigest

/** An edit of the sources that takes something away which must be there. */
export interface Edit {
  path: (typeof STEPPED | typeof PLAIN | typeof INDEX)[number]
  /** Stands exactly once in the file. */
  from: string
  to: string
}

/** The shared-memory core, transformed. Its functions are generators: see `step`. */
export interface Stepped {
  exports: SteppedExports
  stepper: Stepper
  places: Place[]
}

const parsed = new Map<string, ParsedModule>()
/** What stepped modules import and is run as it is: it touches no shared memory. */
const plain = await importPlain()

/** Loads the core with `edits` made to it. Throws when one does not fit the sources any more. */
export function loadStepped(edits: readonly Edit[] = []): Stepped {
  const sources = STEPPED.map((path) => parsedOnce(path, editedSource(path, edits)))
  const { modules, places } = transformModules(sources, GIVEN)
  const asIs = (path: string) => plainModule(parsedOnce(path, editedSource(path, edits)))
  const stepper = new Stepper()
  const loaded = new Map(plain)
  for (const { path, body } of [...PLAIN.map(asIs), ...modules, ...INDEX.map(asIs)]) {
    const $import = (name: string) => importFrom(loaded, targetOf(path, name))
    loaded.set(path, evaluate(body)($import, stepper))
  }
  const all = [...PLAIN, ...STEPPED, ...INDEX].map((path) => loaded.get(path))
  const exports = Object.assign({}, ...all)
  return { exports: exports as SteppedExports, stepper, places }
}

async function importPlain(): Promise<Map<string, object>> {
  const modules = new Map<string, object>()
  const ours: readonly string[] = [...STEPPED, ...PLAIN, ...INDEX]
  for (const path of ours) {
    for (const name of importedNames(parsedOnce(path, editedSource(path, [])))) {
      const target = targetOf(path, name)
      if (modules.has(target) || ours.includes(target)) continue
      const isOfNode = target.startsWith('node:')
      modules.set(target, (await import(isOfNode ? target : join(ROOT, target))) as object)
    }
  }
  return modules
}

/** What an import in a module names: a file, from the root of the repository, or a module of Node. */
function targetOf(path: string, name: string): string {
  return name.startsWith('.') ? join(dirname(path), name) : name
}

type ModuleBody = ($import: (name: string) => object, $s: Stepper) => object

function evaluate(body: string): ModuleBody {
  // oxlint-disable-next-line typescript/no-implied-eval -- our own source, transformed
  return new Function('$import', '$s', body) as ModuleBody
}

function importFrom(loaded: ReadonlyMap<string, object>, path: string): object {
  const module = loaded.get(path)
  if (module === undefined) throw new Error(`${path} is not known to the simulator`)
  return module
}

function editedSource(path: string, edits: readonly Edit[]): string {
  let source = readFileSync(join(ROOT, path), 'utf8')
  for (const { from, to } of edits.filter((edit) => edit.path === path)) {
    const count = source.split(from).length - 1
    if (count !== 1) throw new Error(`${path} has ${count} times: ${from}`)
    source = source.replace(from, () => to)
  }
  return source
}

/** Stripping types and parsing take most of the time, and most modules are never edited. */
function parsedOnce(path: string, source: string): ParsedModule {
  const key = `${path}\n${source}`
  let module = parsed.get(key)
  if (module === undefined) {
    module = parseModule({ path, source })
    parsed.set(key, module)
  }
  return module
}
