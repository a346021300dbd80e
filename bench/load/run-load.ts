import { setTimeout as sleep } from 'node:timers/promises'
import { noiseBetween, sampleMachine, type MachineNoise } from '../lab/machine.ts'
import { sampleProcess, usageBetween, type ProcessUsage } from '../lab/process-usage.ts'
import { spread, summarize, type Times } from '../report/summary.ts'
import { ClosedLoop } from './closed-loop.ts'
import {
  createTopic,
  findBroker,
  queueEnds,
  queueStarts,
  storedCount,
  TEMPLATE_TOPIC,
  withControl,
  type BrokerAddress,
  type Control,
} from './control.ts'
import { Link } from './link.ts'
import type { Load } from './load-kind.ts'
import { OpenLoop } from './open-loop.ts'
import type { LoadOptions } from './options.ts'
import { PopLoop } from './pop-loop.ts'
import { PullLoop, type QueueCursor } from './pull-loop.ts'
import { Recorder, type Failure } from './recorder.ts'
import { SendFrames } from './send-frames.ts'
import { TransactionLoop } from './transaction-loop.ts'

/** What one run of the generator found. Seconds, bytes; response times in microseconds. */
export interface LoadReport {
  options: LoadOptions
  seconds: number
  requests: number
  messages: number
  messagesPerSecond: number
  perSecond: { mean: number; min: number; deviation: number } | null
  bytes: number
  /** Open loop: from the intended time. */
  times: Times | null
  /** Open loop only: from the real send time. */
  serviceTimes: Times | null
  failures: Failure[]
  /** Open loop: requests that left more than 5 ms after their time. */
  late: number
  unexpected: number
  /** Requests without a reply 5 s after the end. */
  unanswered: number
  /** Of the whole run with its warm-up: what the broker said it has, and what its queues hold. */
  acknowledged?: number
  stored?: number
  generator: ProcessUsage
  broker: ProcessUsage | null
  noise: MachineNoise
}

const DRAIN_MS = 5000

/** Runs one load and reports it. Throws when the broker cannot be reached or the connection is lost. */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const broker = await locate(options)
  if (options.mode === 'pull') return await runPulls(options, broker)
  return options.mode === 'pop' ? await runPops(options, broker) : await runSends(options, broker)
}

async function locate({ broker, namesrv, topic }: LoadOptions): Promise<BrokerAddress> {
  if (broker) return { address: broker, brokerName: 'broker-a' }
  return await findBroker(namesrv, topic).catch(() => findBroker(namesrv, TEMPLATE_TOPIC))
}

async function runSends(options: LoadOptions, broker: BrokerAddress): Promise<LoadReport> {
  const recorder = new Recorder()
  const run = (): Promise<LoadReport> =>
    measure(options, broker, recorder, sendLoad(options, broker, recorder))
  if (!options.create) return await run()
  const before = await withControl(broker.address, (control) => makeTopic(control, options))
  const report = await run()
  const { acknowledged } = recorder
  const found = await withControl(broker.address, (control) =>
    settledCount(control, options, before + acknowledged),
  )
  return { ...report, acknowledged, stored: found - before }
}

/** Returns how many messages the topic has already. */
async function makeTopic(control: Control, { topic, queues }: LoadOptions): Promise<number> {
  await createTopic(control, topic, queues)
  return await storedCount(control, topic, queues)
}

/** Queues follow the log: Apache's have been seen half a minute behind it after some millions of messages. */
const SETTLE_MS = 120_000

/** Messages in the topic, once there are `expected` of them, or none was added for 5 s, or it took too long. */
async function settledCount(
  control: Control,
  { topic, queues }: LoadOptions,
  expected: number,
): Promise<number> {
  const until = performance.now() + SETTLE_MS
  let [known, grewAt] = [-1, performance.now()]
  for (;;) {
    const count = await storedCount(control, topic, queues)
    const now = performance.now()
    if (count > known) [known, grewAt] = [count, now]
    if (count >= expected || now - grewAt > DRAIN_MS || now > until) return count
    await sleep(20)
  }
}

function sendLoad(options: LoadOptions, { brokerName }: BrokerAddress, recorder: Recorder): Load {
  const { format, topic, queues, size, batch, inFlight, rate, count } = options
  const isHalf = options.mode === 'transaction'
  const shape = { format, topic, brokerName, queueCount: queues, bodySize: size, batch, isHalf }
  const frames = new SendFrames(shape)
  if (options.mode === 'open') {
    return new OpenLoop(frames, recorder, { rate, inFlightMax: inFlight, batch })
  }
  if (isHalf) {
    return new TransactionLoop(frames, recorder, { format, topic, inFlight, requestsMax: count })
  }
  const requestsMax = Math.ceil(count / batch)
  return new ClosedLoop(frames, recorder, { inFlight, batch, requestsMax })
}

/** Reads the backlog over and over for the warm-up, then once more, measured, from its front. */
async function runPulls(options: LoadOptions, broker: BrokerAddress): Promise<LoadReport> {
  const cursors = await withControl(broker.address, (control) => backlog(control, options))
  const recorder = new Recorder()
  const newLoad = (): Load => pullLoad(options, recorder, cursors)
  const until = performance.now() + options.warmup * 1000
  while (performance.now() < until) await readUntil(until, options, broker, newLoad())
  recorder.reset()
  const whole = { ...options, warmup: 0, duration: Infinity }
  return await measure(whole, broker, recorder, newLoad())
}

/** Everything that the topic holds, once: a group that has no offsets yet begins at the front. */
async function runPops(options: LoadOptions, broker: BrokerAddress): Promise<LoadReport> {
  const { topic, inFlight, pullMax: messagesMax } = options
  const cursors = await withControl(broker.address, (control) => backlog(control, options))
  const total = cursors.reduce((sum, { offset, end }) => sum + end - offset, 0)
  const recorder = new Recorder()
  const { brokerName } = broker
  const load = new PopLoop(recorder, { topic, brokerName, inFlight, messagesMax, total })
  return await measure({ ...options, warmup: 0, duration: Infinity }, broker, recorder, load)
}

async function backlog(control: Control, { topic, queues }: LoadOptions): Promise<QueueCursor[]> {
  const starts = await queueStarts(control, topic, queues)
  const ends = await queueEnds(control, topic, queues)
  return ends.map((end, queueId) => ({ queueId, offset: starts[queueId]!, end }))
}

function pullLoad(options: LoadOptions, recorder: Recorder, cursors: QueueCursor[]): Load {
  const { format, topic, inFlight, pullMax } = options
  const fresh = cursors.map((cursor) => ({ ...cursor }))
  return new PullLoop(fresh, recorder, { format, topic, inFlight, messagesMax: pullMax })
}

async function readUntil(
  until: number,
  options: LoadOptions,
  broker: BrokerAddress,
  load: Load,
): Promise<void> {
  const links = await openLinks(options, broker.address, load)
  load.start(links.all)
  await links.orLost(Promise.race([load.done, sleep(until - performance.now())]))
  await finish(load, links)
}

async function measure(
  options: LoadOptions,
  broker: BrokerAddress,
  recorder: Recorder,
  load: Load,
): Promise<LoadReport> {
  const links = await openLinks(options, broker.address, load)
  load.start(links.all)
  if (options.warmup > 0) {
    await links.orLost(sleep(options.warmup * 1000))
    recorder.reset()
  }
  const window = new Window(options, recorder)
  await links.orLost(Promise.race([load.done, ...limit(options.duration)]))
  const report = window.close()
  const unanswered = await finish(load, links)
  return { ...report, unanswered }
}

/**
 * Nothing for a run without a time limit: `setTimeout` would take Infinity for now. The timer does not
 * keep the process alive when the work is done first; until then the connections do.
 */
function limit(seconds: number): Promise<unknown>[] {
  return seconds === Infinity ? [] : [sleep(seconds * 1000, undefined, { ref: false })]
}

interface Links {
  all: Link[]
  /** The same promise, but rejected when a connection is lost first. */
  orLost<T>(work: Promise<T>): Promise<T>
}

async function openLinks(options: LoadOptions, address: string, load: Load): Promise<Links> {
  const lost = Promise.withResolvers<never>()
  lost.promise.catch(() => {}) // seen by whoever waits in orLost; nobody may
  const opened = Array.from({ length: options.connections }, () =>
    Link.open(address, load, lost.reject),
  )
  const all = await Promise.all(opened)
  return { all, orLost: (work) => Promise.race([work, lost.promise]) }
}

/** Waits for the replies still out; returns how many never came. */
async function finish(load: Load, links: Links): Promise<number> {
  load.stop()
  const until = performance.now() + DRAIN_MS
  while (load.outstanding > 0 && performance.now() < until) await sleep(10)
  for (const link of links.all) link.close()
  return load.outstanding
}

/** The measured stretch of time: counters at its start, differences at its end. */
class Window {
  readonly #options: LoadOptions
  readonly #recorder: Recorder
  readonly #startedAt = performance.now()
  readonly #machine = sampleMachine()
  readonly #own = sampleProcess(process.pid)
  readonly #broker
  readonly #perSecond: number[] = []
  readonly #ticker: NodeJS.Timeout
  #counted = 0

  constructor(options: LoadOptions, recorder: Recorder) {
    this.#options = options
    this.#recorder = recorder
    this.#broker = options.pid === undefined ? null : sampleProcess(options.pid)
    this.#ticker = setInterval(() => this.#second(), 1000)
  }

  close(): Omit<LoadReport, 'unanswered'> {
    clearInterval(this.#ticker)
    const seconds = (performance.now() - this.#startedAt) / 1000
    const { messages, requests, bytes, late, unexpected, failures } = this.#recorder
    return {
      options: this.#options,
      seconds,
      requests,
      messages,
      messagesPerSecond: messages / seconds,
      perSecond: spread(this.#perSecond),
      bytes,
      late,
      unexpected,
      failures: [...failures.values()],
      times: summarize(this.#recorder.times),
      serviceTimes: summarize(this.#recorder.serviceTimes),
      ...this.#usage(),
    }
  }

  #usage(): Pick<LoadReport, 'generator' | 'broker' | 'noise'> {
    const broker = this.#broker && usageBetween(this.#broker, sampleProcess(this.#options.pid!))
    const generator = usageBetween(this.#own, sampleProcess(process.pid))
    const own = generator.cpuSeconds + (broker?.cpuSeconds ?? 0)
    return { generator, broker, noise: noiseBetween(this.#machine, sampleMachine(), own) }
  }

  #second(): void {
    this.#perSecond.push(this.#recorder.messages - this.#counted)
    this.#counted = this.#recorder.messages
  }
}
