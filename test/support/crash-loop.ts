/**
 * Kills a broker under load again and again, and holds what it then has against what it had said.
 *
 *   node test/support/crash-loop.ts --cycles 50 --seed 7 [--out result.json]
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from '../../bench/lab/machine.ts'
import { GetTopicConfig } from '../../src/protocol/requests/topic.ts'
import { Random } from '../sim/random.ts'
import { ServerProcess, tempFolder, type Settings } from './broker-process.ts'
import { CrashLoad } from './crash-load.ts'
import { type Faults, Ledger, NO_FAULTS } from './ledger.ts'
import { createTopic, maxOffset, readQueue } from './messages.ts'
import type { RawClient } from './raw-client.ts'

const TOPIC = 'Survivors'
const QUEUES = 4
const MIB = 1024 * 1024
const WORKERS = [1, 2, 4]
const FLUSH_MODES = ['ASYNC_FLUSH', 'SYNC_FLUSH']

export interface Cycle {
  networkWorkers: number
  flushDiskType: string
  /** Whether one was killed while it started, before this one. */
  hadFalseStart: boolean
  /** How it ended: by SIGKILL or by SIGTERM, under load. */
  end: 'killed' | 'stopped'
  acknowledged: number
  /** From the start of the process to `boot success`, on the store of the cycle before. */
  bootMs: number
}

export interface CrashReport {
  seed: number
  acknowledged: number
  /** Messages that consumers had read before a crash. */
  seen: number
  refused: number
  stored: number
  faults: Faults
  /** Topics whose creation was answered and that were gone. */
  topicsLost: number
  cycles: Cycle[]
}

export interface CrashOptions {
  cycles: number
  seed: number
  /** Acknowledged sends of one cycle, at most. */
  sendsMax?: number
  /** Where the store lies; it is taken away in the end. */
  folder?: string
  flushModes?: readonly string[]
  /** How a cycle ends that is no stop: SIGKILL, unless it is said otherwise. */
  crash?: (broker: ServerProcess) => Promise<unknown>
  onCycle?: (cycle: Cycle, nth: number) => void
}

/** Every cycle has another number of workers or another flush mode, on the same store. */
export async function runCrashLoop(options: CrashOptions): Promise<CrashReport> {
  const folder = options.folder ?? tempFolder()
  const loop = new CrashLoop(options, folder)
  try {
    return await loop.run()
  } finally {
    await loop.dispose()
  }
}

class CrashLoop {
  readonly #options: CrashOptions
  readonly #folder: string
  readonly #random: Random
  readonly #ledger = new Ledger(QUEUES)
  readonly #load: CrashLoad
  readonly #cycles: Cycle[] = []
  readonly #topics: string[] = []
  #broker: ServerProcess | null = null

  constructor(options: CrashOptions, folder: string) {
    this.#options = options
    this.#folder = folder
    this.#random = new Random(options.seed)
    const parts = { topic: TOPIC, queues: QUEUES, ledger: this.#ledger, random: this.#random }
    this.#load = new CrashLoad(parts)
  }

  async run(): Promise<CrashReport> {
    for (let nth = 0; nth < this.#options.cycles; nth++) {
      const cycle = await this.#cycle(nth)
      this.#cycles.push(cycle)
      this.#options.onCycle?.(cycle, nth)
    }
    return this.#report()
  }

  async dispose(): Promise<void> {
    await this.#broker?.dispose()
  }

  async #cycle(nth: number): Promise<Cycle> {
    const random = this.#random
    const networkWorkers = WORKERS[nth % WORKERS.length]!
    const modes = this.#options.flushModes ?? FLUSH_MODES
    const flushDiskType = modes[Math.floor(nth / WORKERS.length) % modes.length]!
    const setup = { networkWorkers, flushDiskType }
    const before = this.#ledger.acknowledged
    const hadFalseStart = nth > 0 && random.oneIn(5)
    if (hadFalseStart) await this.#killWhileStarting(setup)
    const startedAt = performance.now()
    const broker = await this.#start(setup)
    const bootMs = Math.round(performance.now() - startedAt)
    await this.#createTopics(broker, nth)
    const sends = 1 + random.below(this.#options.sendsMax ?? 4000)
    const { stopped } = await this.#load.run(broker, sends)
    const end = random.oneIn(5) ? 'stopped' : 'killed'
    const crash = this.#options.crash ?? (() => broker.kill())
    await (end === 'stopped' ? this.#stop(broker) : crash(broker))
    await stopped
    const acknowledged = this.#ledger.acknowledged - before
    return { ...setup, hadFalseStart, end, acknowledged, bootMs }
  }

  /** It may be anywhere: reading the config, recovering, listening. */
  async #killWhileStarting(setup: Settings): Promise<void> {
    const broker = ServerProcess.launchBroker(this.#settings(setup), this.#folder)
    await new Promise((resolve) => setTimeout(resolve, this.#random.below(800)))
    await broker.kill()
  }

  async #start(setup: Settings): Promise<ServerProcess> {
    this.#broker = await ServerProcess.startBroker(this.#settings(setup), this.#folder)
    return this.#broker
  }

  /** Little files and a little window: every cycle crosses the ends of both. */
  #settings(setup: Settings): Settings {
    const sizes = { maxMessageSize: MIB, logWindowSize: 2 * MIB, mappedFileSizeCommitLog: 4 * MIB }
    return { ...sizes, mappedFileSizeConsumeQueue: 20_000, ...setup }
  }

  async #createTopics(broker: ServerProcess, nth: number): Promise<void> {
    const client = await broker.connect()
    await createTopic(client, TOPIC, { queues: QUEUES })
    await createTopic(client, `Cycle-${nth}`)
    this.#topics.push(`Cycle-${nth}`)
    client.close()
  }

  async #stop(broker: ServerProcess): Promise<void> {
    const { code, stderr } = await broker.stop()
    const isClean = code === 143 && !existsSync(join(broker.store, 'abort'))
    if (!isClean) throw new Error(`SIGTERM ended it with ${code}: ${stderr}`)
  }

  /** Reads everything there is, with a broker that nobody has killed yet. */
  async #report(): Promise<CrashReport> {
    const broker = await this.#start({ networkWorkers: 1, flushDiskType: 'ASYNC_FLUSH' })
    const client = await broker.connect()
    const faults = { ...NO_FAULTS }
    let stored = 0
    for (let queueId = 0; queueId < QUEUES; queueId++) {
      const end = await maxOffset(client, TOPIC, queueId)
      const messages = await readQueue(client, TOPIC, { queueId, end })
      stored += messages.length
      const found = this.#ledger.check(queueId, messages)
      for (const key of Object.keys(faults) as (keyof Faults)[]) faults[key] += found[key]
    }
    const topicsLost = await countMissing(client, this.#topics)
    return {
      seed: this.#options.seed,
      acknowledged: this.#ledger.acknowledged,
      seen: this.#ledger.seen,
      refused: this.#load.refused,
      stored,
      faults,
      topicsLost,
      cycles: this.#cycles,
    }
  }
}

async function countMissing(client: RawClient, topics: readonly string[]): Promise<number> {
  const answers = await Promise.all(topics.map((topic) => client.ask(GetTopicConfig, { topic })))
  return answers.filter(({ code }) => code !== 0).length
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      cycles: { type: 'string', default: '50' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      out: { type: 'string' },
    },
  })
  const onCycle = (cycle: Cycle, nth: number) => console.log(nth, JSON.stringify(cycle))
  const { cycles, seed, out } = values
  const machine = describeMachine()
  const report = await runCrashLoop({ cycles: Number(cycles), seed: Number(seed), onCycle })
  const question = 'does kill -9 under load lose, repeat, reorder or change a message?'
  const text = JSON.stringify({ question, machine, ...report }, null, 2)
  console.log(text)
  if (out !== undefined) writeFileSync(out, `${text}\n`)
  const { faults, topicsLost } = report
  process.exitCode = Object.values(faults).every((count) => count === 0) && topicsLost === 0 ? 0 : 1
}
