/**
 * Many runs of the models of orderly locks, of transactions and of POP, with crashes between their steps.
 *
 *   node test/broker/model-runs.ts [--runs 10000] [--seed S] [--record FILE]
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { describeMachine } from '../../bench/lab/machine.ts'
import { lockProperty } from './lock-model.ts'
import { popProperty } from './pop/pop-model.ts'
import { transactionProperty } from './transaction-model.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() & 0x7fffffff) },
    record: { type: 'string' },
  },
})
const numRuns = positive('runs', values.runs)
const seed = positive('seed', values.seed)

const began = performance.now()
fc.assert(lockProperty, { numRuns, seed })
const locksMs = performance.now() - began
await fc.assert(transactionProperty, { numRuns, seed })
const transactionsMs = performance.now() - began - locksMs
await fc.assert(popProperty, { numRuns, seed })
const popMs = performance.now() - began - locksMs - transactionsMs

const models = {
  locks: { runs: numRuns, seconds: seconds(locksMs) },
  transactions: { runs: numRuns, seconds: seconds(transactionsMs) },
  pop: { runs: numRuns, seconds: seconds(popMs) },
}
console.log(`seed ${seed}: no fault found`, models)
if (values.record !== undefined) {
  const record = { machine: describeMachine(), seed, faults: 0, models }
  writeFileSync(values.record, `${JSON.stringify(record, null, 2)}\n`)
}
process.exit(0) // transactions of crashed brokers may still wait for a message that is gone

function positive(name: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`--${name} ${text}: must be a whole number above 0`)
}

function seconds(durationMs: number): number {
  return Math.round(durationMs / 10) / 100
}
