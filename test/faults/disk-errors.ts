/**
 * Errors of the disk, put by strace into the nth call of each thread on the log: a write or sync that fails
 * with EIO is followed by no OK until the restart, although the next call succeeds; a full disk costs
 * nothing that was answered, and sends are taken again by themselves.
 *
 *    node test/faults/disk-errors.ts [--until 200] [--step 1] [--out FILE]
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ServerProcess, tempFolder } from '../support/broker-process.ts'
import { type Faults, Ledger, NO_FAULTS } from '../support/ledger.ts'
import { createTopic, maxOffset, readQueue } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { FaultRecord } from './fault-record.ts'
import { isStored, okAfterRefusal, type Outcome, SendLanes } from './send-lanes.ts'
import { Strace } from './strace.ts'
import { hasTools } from './tools.ts'

const TOPIC = 'Errors'
const MIB = 1024 * 1024
const AFTER_REFUSAL = 30
const SENDS_MAX = 3000
const RECOVERED_AFTER = 50
/** Bytes of many bodies: a store is thrown away when it has so many messages. */
const STORE_MAX = 20_000

interface Case {
  call: 'pwrite64' | 'fdatasync'
  error: 'EIO' | 'ENOSPC'
  flush: 'ASYNC_FLUSH' | 'SYNC_FLUSH'
}

const CASES: readonly Case[] = [
  { call: 'fdatasync', error: 'EIO', flush: 'SYNC_FLUSH' },
  { call: 'pwrite64', error: 'EIO', flush: 'ASYNC_FLUSH' },
  { call: 'pwrite64', error: 'ENOSPC', flush: 'ASYNC_FLUSH' },
  { call: 'pwrite64', error: 'ENOSPC', flush: 'SYNC_FLUSH' },
]

const { values } = parseArgs({
  options: {
    until: { type: 'string', default: '200' },
    step: { type: 'string', default: '1' },
    out: { type: 'string', default: FaultRecord.pathOf('errors') },
  },
})
if (!hasTools('disk errors', ['strace'])) process.exit()

/** A store that goes on from fault to fault, and what was promised of it. */
class Patient {
  readonly folder = tempFolder()
  readonly ledger = new Ledger(1)
  readonly lanes = new SendLanes(TOPIC, this.ledger)
  readonly faults: Faults = { ...NO_FAULTS }
  broker: ServerProcess | null = null
  client: RawClient | null = null
  stored = 0

  async start(flushDiskType: string): Promise<RawClient> {
    const sizes = { maxMessageSize: MIB, logWindowSize: 2 * MIB, mappedFileSizeCommitLog: 64 * MIB }
    const settings = { ...sizes, flushDiskType, networkWorkers: 1, syncFlushTimeout: 1000 }
    this.broker = await ServerProcess.startBroker(settings, this.folder)
    this.client = await this.broker.connect()
    await createTopic(this.client, TOPIC)
    return this.client
  }

  /** Everything that was promised so far is there. */
  async check(): Promise<void> {
    const client = this.client!
    // Dispatch may be a moment behind the answers.
    const end = Math.max(this.lanes.end, await maxOffset(client, TOPIC, 0))
    const messages = end === 0 ? [] : await readQueue(client, TOPIC, { end })
    this.stored = end
    const found = this.ledger.check(0, messages)
    for (const key of Object.keys(found) as (keyof Faults)[]) this.faults[key] += found[key]
  }

  get isRunning(): boolean {
    return this.broker?.isRunning === true
  }

  async end(): Promise<void> {
    this.client?.close()
    await this.broker?.kill()
  }
}

const question =
  'does an error of the disk lose a message that was answered, or is there an OK after it?'
const record = new FaultRecord(values.out, question)
const results = []
let violations = 0
for (const each of CASES) {
  const result = await runCase(each)
  results.push(result)
  violations += result.violations
  record.write({ cases: results })
  const name = `${each.error} at the nth ${each.call} (${each.flush})`
  console.log(`${name}: ${JSON.stringify(result)}`)
}
record.say('errors: all cases', violations)

async function runCase(each: Case) {
  let patient = new Patient()
  const sums = { runs: 0, hit: 0, okAfterRefusal: 0, notRecovered: 0, lost: 0, otherwiseWrong: 0 }
  for (let nth = 1; nth <= Number(values.until); nth += Number(values.step)) {
    const { all, injected, isBack } = await runOne(patient, each, nth)
    sums.runs++
    if (injected) sums.hit++
    if (each.error === 'EIO') sums.okAfterRefusal += okAfterRefusal(all)
    else if (!isBack) sums.notRecovered++
    if (patient.stored > STORE_MAX) patient = await replace(patient, each, sums)
  }
  await replace(patient, each, sums)
  const { okAfterRefusal: oks, notRecovered, lost, otherwiseWrong } = sums
  return { ...each, ...sums, violations: oks + notRecovered + lost + otherwiseWrong }
}

/** Starts it once more and adds what it has lost. */
async function replace(
  patient: Patient,
  { flush }: Case,
  sums: { lost: number; otherwiseWrong: number },
): Promise<Patient> {
  await patient.end()
  await patient.start(flush)
  await patient.check()
  const { lost, ...others } = patient.faults
  sums.lost += lost
  sums.otherwiseWrong += Object.values(others).reduce((sum, count) => sum + count, 0)
  await patient.broker?.dispose()
  return new Patient()
}

/** A fence lasts until the restart; a broker whose disk was full goes on. */
async function runOne(patient: Patient, { call, error, flush }: Case, nth: number) {
  const isEnd = error === 'EIO'
  const client = patient.isRunning ? patient.client! : await patient.start(flush)
  await patient.check()
  const { pid, store } = patient.broker!
  const when = isEnd ? `${nth}` : `${nth}..${nth + 3}`
  const path = join(store, 'commitlog', '00000000000000000000')
  const log = join(patient.folder, 'strace.log')
  const strace = await Strace.attach({ pid, call, what: `error=${error}:when=${when}`, path, log })
  const before = patient.lanes.outcomes.length
  await patient.lanes.run(client, isEnd ? isFenced : isBackAgain)
  const all = patient.lanes.outcomes.slice(before)
  const injected = strace.injected > 0
  if (isEnd) await patient.end()
  await strace.detach()
  return { all, injected, isBack: all.slice(-5).every(({ code }) => code === 0) }
}

/** Some refusals have come: more sends would be refused, too. */
function isFenced(outcomes: readonly Outcome[]): boolean {
  return countRefused(outcomes) >= AFTER_REFUSAL || outcomes.length >= SENDS_MAX
}

/** After a refusal many were taken; or there was none. */
function isBackAgain(outcomes: readonly Outcome[]): boolean {
  const last = outcomes.findLastIndex((outcome) => !isStored(outcome))
  const isBack = last !== -1 && outcomes.length - last > RECOVERED_AFTER
  return isBack || outcomes.length >= SENDS_MAX
}

function countRefused(outcomes: readonly Outcome[]): number {
  return outcomes.filter((outcome) => !isStored(outcome)).length
}
