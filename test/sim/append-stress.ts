/**
 * Real threads append into a window of 4 KiB, and every byte they leave is checked.
 *
 *    node test/sim/append-stress.ts [--appends N] [--appenders 2,3,…] [--seed S] [--out FILE]
 *
 * One run per number of appenders, the appends divided among the runs; prints a line each, and
 * writes all of them with the machine to FILE. Ends with code 70 as the broker would when a thread
 * meets a wrong byte.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeMachine } from '../../bench/lab/machine.ts'
import { EXIT_POISONED } from '../../src/ring/poison.ts'
import { stress, type StressResult } from './stress.ts'

const { values } = parseArgs({
  options: {
    appends: { type: 'string', default: '1000000' },
    appenders: { type: 'string', default: '2,3,4,5,6,7,8' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    out: { type: 'string' },
  },
})
const appenders = values.appenders.split(',').map(Number)
const appends = Math.ceil(Number(values.appends) / appenders.length)
const runs: StressResult[] = []
const machine = describeMachine()

try {
  for (const [nth, count] of appenders.entries()) {
    const run = await stress({ appenders: count, appends, seed: Number(values.seed) + nth })
    console.log(JSON.stringify(run))
    runs.push(run)
    if (values.out !== undefined)
      writeFileSync(values.out, `${JSON.stringify(report(), null, 2)}\n`)
  }
} catch (error) {
  console.error(error)
  process.exit(EXIT_POISONED)
}

function report() {
  const total = { appends: 0, records: 0, durationMs: 0 }
  for (const { counts, durationMs } of runs) {
    total.appends += counts.appends
    total.records += counts.records
    total.durationMs += durationMs
  }
  return {
    question: 'do real threads on a window of 4 KiB leave a wrong byte?',
    machine,
    total,
    runs,
  }
}
