/**
 * A machine that loses its power under load, with SYNC_FLUSH, again and again: an ext4 on a loop device is
 * shut down without its journal being flushed, then mounted again.
 *
 *    node test/faults/power.ts [--cycles 300] [--seed N] [--out FILE]
 */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ServerProcess } from '../support/broker-process.ts'
import { runCrashLoop } from '../support/crash-loop.ts'
import { CrashSums } from './crash-sums.ts'
import { FaultRecord } from './fault-record.ts'
import { LOOP_TOOLS, LoopDisk } from './loop-disk.ts'
import { hasTools } from './tools.ts'

const CYCLES_OF_A_STORE = 15
const SENDS_MAX = 800

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    out: { type: 'string', default: FaultRecord.pathOf('power') },
  },
})
if (!hasTools('power loss', LOOP_TOOLS)) process.exit()

const question =
  'does a loss of power lose what SYNC_FLUSH has acknowledged, or change what was read?'
const record = new FaultRecord(values.out, question)
const sums = new CrashSums(Number(values.seed))

while (sums.cycles < Number(values.cycles)) {
  const cycles = Math.min(CYCLES_OF_A_STORE, Number(values.cycles) - sums.cycles)
  const disk = new LoopDisk('1500M')
  const folder = join(disk.mount, 'broker')
  mkdirSync(folder)
  try {
    const crash = (broker: ServerProcess) => losePower(broker, disk)
    const options = { folder, crash, flushModes: ['SYNC_FLUSH'], sendsMax: SENDS_MAX }
    sums.add(await runCrashLoop({ cycles, seed: sums.nextSeed, ...options }))
  } finally {
    disk.remove()
  }
  record.write(sums.figures())
}
record.say(`power: ${sums.text()}`, sums.violations())

/** The machine's boot id stays the same here; after a real loss of power it is another. */
async function losePower(broker: ServerProcess, disk: LoopDisk): Promise<void> {
  disk.losePower()
  await broker.kill()
  await disk.restart()
  const abort = join(broker.store, 'abort')
  if (!existsSync(abort)) return
  const text = readFileSync(abort, 'utf8').replace(/ringmq .*/, `ringmq ${randomUUID()}`)
  writeFileSync(abort, text)
}
