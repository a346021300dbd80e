import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningBroker } from './lab/broker.ts'
import { startProducer, type ProducerLine, type RunningProducer } from './lab/java-producer.ts'
import { runLoadProcess } from './lab/load-process.ts'
import { noiseBetween, sampleMachine, type MachineNoise } from './lab/machine.ts'
import { sampleProcess, usageBetween, type ProcessUsage } from './lab/process-usage.ts'
import { createTopic, storedCount, withControl } from './load/control.ts'
import type { LoadReport } from './load/run-load.ts'
import type { Times } from './report/summary.ts'

/** How long and how much. Seconds; `rate` in messages a second; `backlog` in messages. */
export interface Pace {
  warmup: number
  measure: number
  rate: number
  backlog: number
  queues: number
}

/** What one regime found on one broker. */
export interface Outcome {
  regime: string
  /** Null where no messages flow. */
  messagesPerSecond: number | null
  messages: number
  /** In microseconds; null where the tool gives no percentiles. */
  times: Times | null
  failures: number
  broker: ProcessUsage
  clientSeconds: number
  noise: MachineNoise
  /** The whole report of the tool that made the load. */
  detail: unknown
}

export interface Regime {
  name: string
  question: string
  run(broker: RunningBroker, pace: Pace): Promise<Outcome>
}

const MESSAGE_SIZE = 128
const IN_FLIGHT = 64
/** Snapshots that Apache's Producer averages over: earlier lines reach back before the window. */
const PRODUCER_WINDOW = 10

/** In the order in which they run; the backlog is the last to write much, idle comes after all. */
export const REGIMES: Regime[] = [
  load('send', 'sends of 128 B, 64 in flight, binary headers', () => []),
  load('send-json', 'the same with JSON headers, as most applications send', () => [
    ...['--header', 'json'],
  ]),
  load('one', 'one send in flight: the bare response time', () => ['--in-flight', '1']),
  load('batch', 'batches of 16', () => ['--batch', '16']),
  load('open', 'a fixed rate, from intended time', ({ rate }) => [
    ...['--mode', 'open', '--rate', String(rate)],
  ]),
  { name: 'java', question: "Apache's own benchmark Producer, 64 threads", run: runProducer },
  { name: 'backlog', question: 'consuming a backlog, 32 messages a pull', run: runBacklog },
  { name: 'idle', question: 'nobody asks anything', run: runIdle },
]

/** Throws with the names there are. */
export function regimesNamed(names: string[]): Regime[] {
  const unknown = names.find((name) => !REGIMES.some((regime) => regime.name === name))
  const known = REGIMES.map(({ name }) => name).join(', ')
  if (unknown !== undefined) throw new Error(`no regime ${unknown}: there are ${known}`)
  return REGIMES.filter(({ name }) => names.includes(name))
}

/** Sends for `seconds` and forgets the result: Java compiles its hot paths while it is asked. */
export async function warmUp(
  broker: RunningBroker,
  seconds: number,
  queues: number,
): Promise<void> {
  if (seconds <= 0) return
  const pace = ['--warmup', '0', '--duration', String(seconds)]
  await runLoadProcess([...target(broker, 'bench_warmup', queues), ...pace])
}

function load(name: string, question: string, args: (pace: Pace) => string[]): Regime {
  const run = async (broker: RunningBroker, pace: Pace): Promise<Outcome> => {
    const { warmup, measure, queues } = pace
    const times = ['--warmup', String(warmup), '--duration', String(measure)]
    const shape = ['--size', String(MESSAGE_SIZE), ...args(pace)]
    const common = target(broker, `bench_${name}`, queues)
    return outcomeOf(name, await runLoadProcess([...common, ...times, ...shape]))
  }
  return { name, question, run }
}

function target({ namesrvPort, pid }: RunningBroker, topic: string, queues: number): string[] {
  const place = ['--namesrv', `127.0.0.1:${namesrvPort}`, '--topic', topic]
  return [...place, '--queues', String(queues), '--pid', String(pid)]
}

/** Messages that were acknowledged and are in no queue make the figures worthless: throws. */
function outcomeOf(regime: string, report: LoadReport): Outcome {
  const { acknowledged = 0, stored = acknowledged, unanswered, failures } = report
  if (stored < acknowledged) {
    throw new Error(`${regime}: ${acknowledged} acknowledged, ${stored} stored`)
  }
  return {
    regime,
    messagesPerSecond: report.messagesPerSecond,
    messages: report.messages,
    times: report.times,
    failures: unanswered + failures.reduce((sum, { count }) => sum + count, 0),
    broker: report.broker!,
    clientSeconds: report.generator.cpuSeconds,
    noise: report.noise,
    detail: report,
  }
}

/** Batches, because they are the quickest way to a backlog; then every message once, as fast as it goes. */
async function runBacklog(broker: RunningBroker, pace: Pace): Promise<Outcome> {
  const common = target(broker, 'bench_backlog', pace.queues)
  const batches = ['--batch', '32', '--in-flight', String(IN_FLIGHT)]
  const count = ['--size', String(MESSAGE_SIZE), '--count', String(pace.backlog)]
  const filled = outcomeOf('backlog', await runLoadProcess([...common, ...batches, ...count]))
  const pulls = ['--mode', 'pull', '--warmup', String(pace.warmup)]
  const read = outcomeOf('backlog', await runLoadProcess([...common, ...pulls]))
  if (read.messages >= filled.messages) return read
  throw new Error(`backlog: ${filled.messages} messages sent, ${read.messages} consumed`)
}

async function runIdle(broker: RunningBroker, { measure, warmup }: Pace): Promise<Outcome> {
  await sleep(warmup * 1000)
  const window = openWindow(broker.pid, null)
  await sleep(measure * 1000)
  const usage = window.close()
  return {
    regime: 'idle',
    messagesPerSecond: null,
    messages: 0,
    times: null,
    failures: 0,
    ...usage,
  }
}

/** Messages are counted in the broker's queues, over the whole window; the tool's own lines go to `detail`. */
async function runProducer(broker: RunningBroker, pace: Pace): Promise<Outcome> {
  const topic = 'bench_java'
  const { namesrvPort, directory } = broker
  await atBroker(broker, (control) => createTopic(control, topic, pace.queues))
  const shape = { topic, threads: IN_FLIGHT, bodySize: MESSAGE_SIZE }
  const producer = await startProducer({ namesrvPort, directory, ...shape })
  try {
    await sleep(pace.warmup * 1000)
    return await measureProducer(broker, producer, topic, pace)
  } finally {
    await producer.stop()
  }
}

async function measureProducer(
  broker: RunningBroker,
  producer: RunningProducer,
  topic: string,
  pace: Pace,
): Promise<Outcome> {
  const count = (): Promise<number> =>
    atBroker(broker, (control) => storedCount(control, topic, pace.queues))
  const linesBefore = producer.lines().length
  const before = await count()
  const window = openWindow(broker.pid, producer.pid)
  await sleep(pace.measure * 1000)
  const usage = window.close()
  const messages = (await count()) - before
  const lines = producer.lines().slice(linesBefore)
  const messagesPerSecond = messages / usage.broker.seconds
  const detail = summarizeLines(lines)
  const { failures } = detail
  return { regime: 'java', messagesPerSecond, messages, times: null, failures, ...usage, detail }
}

/** Mean of the lines that cover nothing before the window; of all, when the window is too short for one. */
function summarizeLines(lines: ProducerLine[]): { tps: number; avgMs: number; failures: number } {
  const inside = lines.length > PRODUCER_WINDOW ? lines.slice(PRODUCER_WINDOW) : lines
  const mean = (read: (line: ProducerLine) => number): number =>
    inside.reduce((sum, line) => sum + read(line), 0) / inside.length
  const failed = (line: ProducerLine | undefined): number =>
    line ? line.sendFailed + line.responseFailed : 0
  const failures = failed(lines.at(-1)) - failed(lines[0])
  return { tps: mean(({ tps }) => tps), avgMs: mean(({ avgMs }) => avgMs), failures }
}

async function atBroker<T>(
  { port }: RunningBroker,
  work: Parameters<typeof withControl<T>>[1],
): Promise<T> {
  return await withControl(`127.0.0.1:${port}`, work)
}

type WindowUsage = Pick<Outcome, 'broker' | 'clientSeconds' | 'noise' | 'detail'>

function openWindow(brokerPid: number, clientPid: number | null): { close(): WindowUsage } {
  const machine = sampleMachine()
  const broker = sampleProcess(brokerPid)
  const client = clientPid === null ? null : sampleProcess(clientPid)
  const close = (): WindowUsage => {
    const used = usageBetween(broker, sampleProcess(brokerPid))
    const clientSeconds = client ? usageBetween(client, sampleProcess(clientPid!)).cpuSeconds : 0
    const noise = noiseBetween(machine, sampleMachine(), used.cpuSeconds + clientSeconds)
    return { broker: used, clientSeconds, noise, detail: null }
  }
  return { close }
}
