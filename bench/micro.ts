/**
 * What do the smallest pieces cost? One operation each, in nanoseconds, on one thread.
 *
 *   npm run bench:micro -- [suite …]      headers copies checksums atomics appends writes dispatches filters (all)
 *   … --out FILE                           keeps the figures
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Bench, type Task } from 'tinybench'
import { appends } from './micro/appends.ts'
import { atomics } from './micro/atomics.ts'
import { checksums } from './micro/checksums.ts'
import { copies } from './micro/copies.ts'
import { dispatches } from './micro/dispatches.ts'
import { filters } from './micro/filters.ts'
import { headers } from './micro/headers.ts'
import { REPEATS, type MicroSuite } from './micro/suite.ts'
import { writes } from './micro/writes.ts'
import { takeBenchLock } from './lab/bench-lock.ts'
import { describeMachine } from './lab/machine.ts'
import { formatNumber, formatTable } from './report/table.ts'

const SUITES: Record<string, () => MicroSuite> = {
  headers,
  copies,
  checksums,
  atomics,
  appends,
  writes,
  dispatches,
  filters,
}
const CASE_MS = 300

const { values, positionals: names } = parseArgs({
  options: { out: { type: 'string' } },
  allowPositionals: true,
})
const figures: Record<string, Record<string, number>> = {}
process.once('exit', takeBenchLock())
for (const name of names.length > 0 ? names : Object.keys(SUITES)) await measure(name)
if (values.out !== undefined) {
  const record = { machine: describeMachine(), unit: 'ns, median', figures }
  writeFileSync(values.out, `${JSON.stringify(record, null, 2)}\n`)
}

async function measure(name: string): Promise<void> {
  const make = SUITES[name]
  if (!make) throw new Error(`no suite ${name}: there are ${Object.keys(SUITES).join(', ')}`)
  const suite = make()
  const bench = new Bench({ time: CASE_MS, warmupTime: CASE_MS / 3, iterations: 10, throws: true })
  for (const { name: title, run } of suite.cases) bench.add(title, run)
  await bench.run()
  suite.close?.()
  console.log(`\n${suite.name}: ${suite.question}\n${tableOf(bench.tasks, suite)}`)
}

function tableOf(tasks: readonly Task[], suite: MicroSuite): string {
  const rows = tasks.map((task, i) => rowOf(task, suite.name, suite.cases[i]!.bytes))
  return formatTable(['', 'ns, median', 'ns, mean', 'GB/s'], rows)
}

/** tinybench gives milliseconds per run of a case. */
function rowOf(task: Task, suiteName: string, bytes: number | undefined): string[] {
  const { result } = task
  if (result.state !== 'completed') throw new Error(`${task.name}: ${result.state}`)
  const nanoseconds = (milliseconds: number): number => (milliseconds * 1e6) / REPEATS
  const median = nanoseconds(result.latency.p50)
  figures[suiteName] = { ...figures[suiteName], [task.name]: median }
  const speed = bytes === undefined ? null : bytes / median
  return [
    task.name,
    formatNumber(median),
    formatNumber(nanoseconds(result.latency.mean)),
    formatNumber(speed),
  ]
}
