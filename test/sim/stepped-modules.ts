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
import type * as DispatchAgent from '../../src/store/dispatch-agent.ts'
import type * as FlushAgent from '../../src/store/flush-agent.ts'
import type * as LogAppender from '../../src/store/log-appender.ts'
import type * as LogMemory from '../../src/store/log-memory.ts'
import type * as LogReader from '../../src/store/log-reader.ts'
import type * as LogWindow from '../../src/store/log-window.ts'
import type * as LogWriter from '../../src/store/log-writer.ts'
import { importedNames, parseModule, type ParsedModule } from './step-source.ts'
import { transformModules, type Place } from './step-transform.ts'
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

/** Called in stepped modules, done by the simulation. */
const GIVEN = ['pwrite', 'encodeInto', 'visible', 'stopped']

export type SteppedExports = typeof Agent &
  typeof ByteRing &
  typeof DirtyBits &
  typeof DispatchAgent &
  typeof Floor &
  typeof FlushAgent &
  typeof HeldPulls &
  typeof Lock &
  typeof LogAppender &
  typeof LogMemory &
  typeof LogReader &
  typeof LogWindow &
  typeof LogWriter &
  typeof Poison &
  typeof Position &
  typeof Rows &
  typeof Signal

/** An edit of the sources that takes something away which must be there. */
export interface Edit {
  path: (typeof STEPPED)[number]
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
  const stepper = new Stepper()
  const loaded = new Map(plain)
  for (const { path, body } of modules) {
    const $import = (name: string) => importFrom(loaded, join(dirname(path), name))
    loaded.set(path, evaluate(body)($import, stepper))
  }
  const exports = Object.assign({}, ...STEPPED.map((path) => loaded.get(path)))
  return { exports: exports as SteppedExports, stepper, places }
}

async function importPlain(): Promise<Map<string, object>> {
  const modules = new Map<string, object>()
  for (const path of STEPPED) {
    for (const name of importedNames(parsedOnce(path, editedSource(path, [])))) {
      const target = join(dirname(path), name)
      if (modules.has(target) || (STEPPED as readonly string[]).includes(target)) continue
      modules.set(target, (await import(join(ROOT, target))) as object)
    }
  }
  return modules
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
