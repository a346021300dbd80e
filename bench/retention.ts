/**
 * What does deleting cost those who send? A broker on a log of many full files, sparse ones, and of many queues:
 * response times of an even load, before, during and after their deletion; writes bench/results/retention.json.
 *
 *   node bench/retention.ts [--files 100] [--queues 1000] [--rate 5000] [--rounds 3] [--directory DIR]
 */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { DeleteExpiredCommitLog } from '../src/protocol/requests/broker.ts'
import { RemotingClient } from '../src/net/remoting-client.ts'
import { logFileName } from '../src/store/log-files.ts'
import { BLANK_MAGIC, RecordAt } from '../src/store/log-record.ts'
import { messageBytes } from '../test/support/records.ts'
import { takeBenchLock } from './lab/bench-lock.ts'
import { parseSide, withBroker, type RunningBroker } from './lab/broker.ts'
import { runLoadProcess } from './lab/load-process.ts'
import { describeMachine } from './lab/machine.ts'
import type { Times } from './report/summary.ts'

const GIB = 1024 ** 3
const QUEUE_FILE = 300_000 * 20
const UNIT = 20
const STORE_TIMESTAMP_AT = 56
const HOUR_MS = 3_600_000
const WARMUP_S = 2
const MEASURE_S = 12

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '100' },
    queues: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '3' },
    port: { type: 'string', default: '31911' },
    directory: { type: 'string', default: tmpdir() },
  },
})
const [files, queues, port] = [values.files, values.queues, values.port].map(Number) as [
  number,
  number,
  number,
]

/** Full files of the log, each with one message per queue and a blank for the rest, stored two hours ago. */
function makeStore(store: string): void {
  mkdirSync(join(store, 'commitlog'), { recursive: true })
  const record = messageBytes({ topic: 'Old', body: Buffer.alloc(100, 'b') })
  const file = Buffer.alloc(record.length * queues + 8)
  for (let nth = 0; nth < files; nth++) {
    fillFile(file, record, nth)
    const descriptor = openSync(join(store, 'commitlog', logFileName(nth * GIB)), 'w')
    writeSync(descriptor, file)
    ftruncateSync(descriptor, GIB)
    closeSync(descriptor)
  }
  for (let queueId = 0; queueId < queues; queueId++) makeQueue(store, queueId, record.length)
}

function fillFile(file: Buffer, record: Buffer, nth: number): void {
  for (let queueId = 0; queueId < queues; queueId++) {
    const at = queueId * record.length
    record.copy(file, at)
    file.writeInt32BE(queueId, at + RecordAt.QUEUE_ID)
    file.writeBigInt64BE(BigInt(nth), at + RecordAt.QUEUE_OFFSET)
    file.writeBigInt64BE(BigInt(nth * GIB + at), at + RecordAt.POSITION)
    file.writeBigInt64BE(BigInt(Date.now() - 2 * HOUR_MS), at + STORE_TIMESTAMP_AT)
  }
  file.writeInt32BE(GIB - queues * record.length, queues * record.length)
  file.writeInt32BE(BLANK_MAGIC, queues * record.length + 4)
}

function makeQueue(store: string, queueId: number, length: number): void {
  const folder = join(store, 'consumequeue', 'Old', String(queueId))
  mkdirSync(folder, { recursive: true })
  const units = Buffer.alloc(files * UNIT)
  for (let nth = 0; nth < files; nth++) {
    units.writeBigInt64BE(BigInt(nth * GIB + queueId * length), nth * UNIT)
    units.writeInt32BE(length, nth * UNIT + 8)
  }
  const descriptor = openSync(join(folder, logFileName(0)), 'w')
  writeSync(descriptor, units)
  ftruncateSync(descriptor, QUEUE_FILE)
  closeSync(descriptor)
}

/** Windows one after the other; the machine changes with time, so the middle one is compared with both. */
interface Round {
  before: Times
  deleting: Times
  after: Times
  /** Log files that went while the second window was measured. */
  deleted: number
}

async function measure(broker: RunningBroker, store: string): Promise<Round> {
  const load = async (seconds: number): Promise<Times> => {
    const place = ['--namesrv', `127.0.0.1:${broker.namesrvPort}`, '--topic', 'Load']
    const pace = ['--mode', 'open', '--rate', values.rate, '--warmup', String(WARMUP_S)]
    const report = await runLoadProcess([...place, ...pace, '--duration', String(seconds)])
    return report.times!
  }
  const count = (): number => readdirSync(join(store, 'commitlog')).length
  await load(5) // what is compiled, is
  const before = await load(MEASURE_S)
  const files = count()
  const loading = load(MEASURE_S)
  await sleep(WARMUP_S * 1000 + 500) // the generator has started by then
  const client = new RemotingClient({})
  await client.call(`127.0.0.1:${broker.port}`, DeleteExpiredCommitLog, {})
  const deleting = await loading
  const deleted = files - count()
  await client.close()
  while (count() > 3) await sleep(100) // the last full file is as old as what follows it
  return { before, deleting, after: await load(MEASURE_S), deleted }
}

async function round(): Promise<Round> {
  const directory = mkdtempSync(join(values.directory, 'ringmq-retention-'))
  const store = join(directory, `store-${port}`)
  try {
    makeStore(store)
    const otherHour = (new Date().getHours() + 12) % 24
    const settings = {
      fileReservedTime: '1',
      deleteWhen: String(otherHour),
      cleanFileForciblyEnable: 'false',
      diskSpaceWarningLevelRatio: '100',
    }
    const options = { directory, port, namesrvPort: port + 10, settings, heap: [] }
    return await withBroker(parseSide('ringmq'), options, (broker) => measure(broker, store))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function p99RatioOf({ before, deleting, after }: Round): number {
  return deleting.p99 / ((before.p99 + after.p99) / 2)
}

const release = takeBenchLock()
try {
  const machine = describeMachine()
  const rounds: Round[] = []
  for (let nth = 0; nth < Number(values.rounds); nth++) {
    const found = await round()
    rounds.push(found)
    const { before, deleting, after, deleted } = found
    const shown = [before, deleting, after].map(({ p50, p99, p999 }) => `${p50} ${p99} ${p999}`)
    console.log(
      `${deleted} files went; p50 p99 p99.9 in µs before, with, after: ${shown.join(' | ')}`,
    )
  }
  const ratios = rounds.map(p99RatioOf).toSorted((a, b) => a - b)
  const p99Ratio = ratios[Math.floor(ratios.length / 2)]!
  console.log(`p99 with deletion / without, median of ${rounds.length}: ${p99Ratio.toFixed(3)}`)
  const question = 'by how much does the deletion of old files move the response times of sends?'
  const setup = { files, gibPerFile: 1, queues, rate: Number(values.rate), seconds: MEASURE_S }
  const result = { question, machine, ...setup, p99Ratio, rounds }
  const target = join(import.meta.dirname, 'results/retention.json')
  writeFileSync(target, `${JSON.stringify(result, null, 2)}\n`)
} finally {
  release()
}
