/**
 * What timers cost. `due`: ten thousand that are due each second, for twenty seconds in a row, for RingMQ and for
 * Apache, one after the other: how late each was stored, and came to a consumer, and how quickly the main thread
 * answered meanwhile. `burst`: a hundred thousand that are due at one moment. `pending`: what ten million that
 * wait take of memory. Milliseconds and MiB; kept in bench/results/timer.json, each part by itself.
 *
 *   node bench/timer.ts due,burst [--seconds 20] [--rate 10000] [--sides apache,ringmq]
 *   node bench/timer.ts pending [--count 10000000]
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { takeBenchLock } from './lab/bench-lock.ts'
import { parseSide, type RunningBroker, withBroker } from './lab/broker.ts'
import { describeMachine } from './lab/machine.ts'
import { sampleProcess, usageBetween } from './lab/process-usage.ts'
import { endOnSignals } from './lab/signals.ts'
import { Control, createTopic } from './load/control.ts'
import { RequestCode } from './load/wire.ts'
import { Arrivals } from './timer/arrivals.ts'
import { TimerSends } from './timer/timer-sends.ts'

const PORT = 30911
const NAMESRV_PORT = 39876
const QUEUES = 4
const HEAP = ['-Xms1g', '-Xmx1g', '-XX:MaxDirectMemorySize=1g']
const RESULTS = join(import.meta.dirname, 'results/timer.json')
/** Between the last send and the first that is due. */
const SPARE_MS = 5000
/** What the slowest side sends in a second, and what it puts into its wheel. */
const SENDS_PER_SECOND = 8000
const BURST = 100_000
const PING_MS = 20
const DAY_MS = 86_400_000
const GET_BROKER_RUNTIME_INFO = 28

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sides: { type: 'string', default: 'apache,ringmq' },
    rate: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '20' },
    count: { type: 'string', default: '10000000' },
    directory: { type: 'string', default: tmpdir() },
  },
})

interface Plan {
  count: number
  /** After the first, in milliseconds. */
  dueAfterMs: (nth: number) => number
}

/** How long something took or was late, in milliseconds. */
function spread(all: ArrayLike<number>) {
  const sorted = Float64Array.from(all).sort()
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]! * 10) / 10
  return { min: at(0), p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) }
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}

/** Asks main something small again and again, and looks at the broker's memory. */
class Watch {
  readonly pings: number[] = []
  peakBytes = 0
  #isOver = false
  readonly #run: Promise<void>

  constructor(control: Control, pid: number, topic: string) {
    this.#run = this.#watch(control, pid, topic)
  }

  async #watch(control: Control, pid: number, topic: string): Promise<void> {
    while (!this.#isOver) {
      const from = performance.now()
      await control.call(RequestCode.GET_MIN_OFFSET, { topic, queueId: '0' })
      this.pings.push(performance.now() - from)
      this.peakBytes = Math.max(this.peakBytes, sampleProcess(pid).residentBytes)
      await pause(PING_MS)
    }
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#run
  }
}

async function deliver(broker: RunningBroker, topic: string, { count, dueAfterMs }: Plan) {
  const address = `127.0.0.1:${broker.port}`
  const control = await Control.open(address)
  await createTopic(control, topic, QUEUES)
  const place = { address, topic, queueCount: QUEUES, count }
  const begin = Math.ceil((Date.now() + (count / SENDS_PER_SECOND) * 1000 + SPARE_MS) / 1000) * 1000
  const arrivals = await Arrivals.begin(place)
  const before = sampleProcess(broker.pid)
  await new TimerSends({ ...place, dueMs: (nth) => begin + dueAfterMs(nth) }).run()
  const spareMs = begin - Date.now()
  await pause(Math.max(0, spareMs - 2000))
  const from = sampleProcess(broker.pid) // all are in the wheel, and none is due
  const watch = new Watch(control, broker.pid, topic)
  await arrivals.done
  await watch.end()
  const used = usageBetween(from, sampleProcess(broker.pid))
  arrivals.close()
  control.close()
  return {
    count,
    sentMsBeforeFirst: spareMs,
    storedLateMs: spread(arrivals.storedLate),
    arrivedLateMs: spread(arrivals.arrivedLate),
    mainAnsweredMs: spread(watch.pings),
    cpuSeconds: Math.round(used.cpuSeconds * 10) / 10,
    seconds: Math.round(used.seconds * 10) / 10,
    residentMiB: {
      empty: mebibytes(before.residentBytes),
      waiting: mebibytes(from.residentBytes),
      peak: mebibytes(watch.peakBytes),
    },
  }
}

/** All that are to wait are due a day from now and later. */
async function pending(broker: RunningBroker, count: number) {
  const address = `127.0.0.1:${broker.port}`
  const control = await Control.open(address)
  await createTopic(control, 'Pending', QUEUES)
  const begin = Date.now() + DAY_MS
  const half = Math.floor(count / 2)
  const residentMiB: Record<string, number> = {}
  const note = (sent: number) => {
    residentMiB[`${sent}`] = mebibytes(sampleProcess(broker.pid).residentBytes)
  }
  note(0)
  const from = performance.now()
  for (const [sent, more] of [
    [half / 5, half / 5],
    [half, half - half / 5],
    [count, count - half],
  ] as const) {
    const dueMs = () => begin + Math.floor(Math.random() * DAY_MS)
    const place = { address, topic: 'Pending', queueCount: QUEUES, count: more, dueMs }
    await new TimerSends(place).run()
    await untilPutIn(control, sent)
    note(sent)
  }
  const seconds = Math.round((performance.now() - from) / 1000)
  control.close()
  return { count, residentMiB, seconds }
}

/** The broker counts them when they are in the wheel. */
async function untilPutIn(control: Control, count: number): Promise<void> {
  for (;;) {
    const { body } = await control.call(GET_BROKER_RUNTIME_INFO, {})
    const { table } = JSON.parse(body.toString()) as { table: Record<string, string> }
    if (Number(table['timerCongestNum'] ?? NaN) >= count) return
    await pause(200)
  }
}

/** A broker with an empty store that is deleted afterwards. */
async function onBroker<T>(side: string, work: (broker: RunningBroker) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(values.directory, 'ringmq-bench-timer-'))
  const ports = { port: PORT, namesrvPort: NAMESRV_PORT }
  const options = { directory, ...ports, settings: {}, heap: HEAP }
  try {
    return await withBroker(parseSide(side), options, work)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const [rate, seconds] = [Number(values.rate), Number(values.seconds)]
const PARTS: Record<string, (broker: RunningBroker) => Promise<object>> = {
  due: (broker) => {
    const plan = {
      count: rate * seconds,
      dueAfterMs: (nth: number) => Math.floor((nth * 1000) / rate),
    }
    return deliver(broker, 'Due', plan)
  },
  burst: (broker) => deliver(broker, 'Burst', { count: BURST, dueAfterMs: () => 0 }),
  pending: (broker) => pending(broker, Number(values.count)),
}

function keep(name: string, result: object): void {
  const known = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as object) : {}
  const text = JSON.stringify({ ...known, [name]: result }, null, 2)
  writeFileSync(RESULTS, `${text}\n`)
}

endOnSignals()
process.once('exit', takeBenchLock())
for (const name of (positionals[0] ?? 'due,burst').split(',')) {
  const part = PARTS[name]
  if (part === undefined)
    throw new Error(`no part ${name}: there are ${Object.keys(PARTS).join(', ')}`)
  const result: Record<string, object> = { machine: describeMachine() }
  for (const side of values.sides.split(',')) result[side] = await onBroker(side, part)
  console.log(JSON.stringify({ [name]: result }, null, 2))
  keep(name, result)
}
