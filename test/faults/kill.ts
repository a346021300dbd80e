/**
 * kill -9 under load, again and again, on many stores one after the other; a fifth of the cycles ends with
 * SIGTERM, and before a fifth of the starts another start is killed half-way.
 *
 *    node test/faults/kill.ts [--cycles 1000] [--seed N] [--out FILE]
 */
import { parseArgs } from 'node:util'
import { runCrashLoop } from '../support/crash-loop.ts'
import { CrashSums } from './crash-sums.ts'
import { FaultRecord } from './fault-record.ts'

const CYCLES_OF_A_STORE = 25
const SENDS_MAX = 1200

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    out: { type: 'string', default: FaultRecord.pathOf('kill') },
  },
})
const question = 'does kill -9 under load lose, repeat, reorder or change a message?'
const record = new FaultRecord(values.out, question)
const sums = new CrashSums(Number(values.seed))

while (sums.cycles < Number(values.cycles)) {
  const cycles = Math.min(CYCLES_OF_A_STORE, Number(values.cycles) - sums.cycles)
  sums.add(await runCrashLoop({ cycles, seed: sums.nextSeed, sendsMax: SENDS_MAX }))
  record.write(sums.figures())
}
record.say(`kill: ${sums.text()}`, sums.violations())
