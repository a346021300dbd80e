/**
 * From exec of node to ready, on an empty store: sources and bundle in turn, each first with an empty compile cache
 * and then warm. Prints milliseconds, CPU seconds and memory; writes bench/results/start.json.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeBenchLock } from './lab/bench-lock.ts'
import { describeMachine } from './lab/machine.ts'
import { sampleProcess } from './lab/process-usage.ts'

const ROOT = join(import.meta.dirname, '..')
const PROGRAMS = { source: 'src/main/dev.ts', bundle: '.cache/program/src/main/dev.js' }
const NAMES = ['source', 'bundle'] as const
const WARM_STARTS = 9

type Name = (typeof NAMES)[number]

interface Start {
  milliseconds: number
  cpuSeconds: number
  residentMiB: number
}

/** One start and stop; data and compile caches lie in `folder`. */
async function start(name: Name, folder: string): Promise<Start> {
  const data = join(folder, 'data')
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: join(folder, name),
    RINGMQ_DATA: data,
    RINGMQ_NAMESRV_PORT: '0',
    RINGMQ_BROKER_PORT: '0',
  }
  const from = performance.now()
  const child = spawn(process.execPath, [join(ROOT, PROGRAMS[name])], { env, cwd: folder })
  child.stderr.resume()
  const ended = once(child, 'close')
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [unknown]
  const milliseconds = performance.now() - from
  if (!String(line).includes('is ready')) throw new Error(`${name} did not start: ${String(line)}`)
  const usage = sampleProcess(child.pid!)
  child.kill('SIGTERM')
  await ended
  rmSync(data, { recursive: true })
  const cpuSeconds = usage.userSeconds + usage.systemSeconds
  return { milliseconds, cpuSeconds, residentMiB: usage.residentBytes / 2 ** 20 }
}

function summarize(cold: Start, warm: Start[]): Record<string, unknown> {
  const sorted = (key: keyof Start) => warm.map((each) => each[key]).toSorted((a, b) => a - b)
  const median = (key: keyof Start) => sorted(key)[warm.length >> 1]!
  const times = sorted('milliseconds').map(Math.round)
  return {
    firstMs: Math.round(cold.milliseconds),
    laterMs: { min: times[0], median: times[times.length >> 1], max: times.at(-1) },
    cpuSeconds: median('cpuSeconds'),
    residentMiB: Math.round(median('residentMiB')),
  }
}

async function measure(folder: string): Promise<Record<string, unknown>> {
  const cold = { source: await start('source', folder), bundle: await start('bundle', folder) }
  const warm: Record<Name, Start[]> = { source: [], bundle: [] }
  for (const name of NAMES) await start(name, folder) // from now on the cache is complete
  for (let nth = 0; nth < WARM_STARTS; nth++) {
    for (const name of NAMES) warm[name].push(await start(name, folder))
  }
  return Object.fromEntries(NAMES.map((name) => [name, summarize(cold[name], warm[name])]))
}

const release = takeBenchLock()
const folder = mkdtempSync(join(tmpdir(), 'ringmq-start-'))
try {
  const machine = describeMachine()
  const results = await measure(folder)
  console.log(results)
  const text = JSON.stringify({ machine, warmStarts: WARM_STARTS, results }, null, 2)
  writeFileSync(join(import.meta.dirname, 'results', 'start.json'), `${text}\n`)
} finally {
  rmSync(folder, { recursive: true })
  release()
}
