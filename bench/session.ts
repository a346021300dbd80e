import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withBroker, type BrokerSide, type RunningBroker } from './lab/broker.ts'
import { warmUp } from './regimes.ts'
import type { Outcome, Pace, Regime } from './regimes/regime.ts'

export interface SessionOptions {
  regimes: Regime[]
  pace: Pace
  /** Seconds of sending before the first regime. */
  warmup: number
  /** Seconds of rest after the broker has stopped and the disk is synced. */
  rest: number
  /** A new broker and store for each regime instead of one for all of them. */
  fresh: boolean
  /** Where the stores go while they live. */
  directory: string
  port: number
  namesrvPort: number
  settings: Record<string, string>
  heap: string[]
}

const PREFIX = 'ringmq-bench-store-'

/** Runs the regimes on one kind of broker, each broker with an empty store that is deleted afterwards. */
export async function runSession(side: BrokerSide, options: SessionOptions): Promise<Outcome[]> {
  const { regimes, fresh } = options
  const lives = fresh ? regimes.map((regime) => [regime]) : [regimes]
  const outcomes: Outcome[] = []
  for (const life of lives) outcomes.push(...(await oneLife(side, life, options)))
  return outcomes
}

async function oneLife(
  side: BrokerSide,
  regimes: Regime[],
  options: SessionOptions,
): Promise<Outcome[]> {
  removeLeftovers(options.directory)
  const directory = mkdtempSync(join(options.directory, PREFIX))
  try {
    return await withBroker(side, { ...options, directory }, (broker) =>
      runAll(broker, regimes, options),
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
    execFileSync('sync')
    await sleep(options.rest * 1000)
  }
}

/** A run that was broken off leaves its store. We hold the lock: nobody can be using it. */
function removeLeftovers(directory: string): void {
  mkdirSync(directory, { recursive: true })
  const stores = readdirSync(directory).filter((name) => name.startsWith(PREFIX))
  for (const name of stores) rmSync(join(directory, name), { recursive: true, force: true })
}

async function runAll(
  broker: RunningBroker,
  regimes: Regime[],
  { warmup, pace }: SessionOptions,
): Promise<Outcome[]> {
  await warmUp(broker, warmup, pace.queues)
  const outcomes: Outcome[] = []
  for (const regime of regimes) {
    progress(`${broker.side.label}: ${regime.name}, ${regime.question}`)
    outcomes.push(await regime.run(broker, pace))
  }
  return outcomes
}

/** Progress goes to stderr: stdout holds the results only. */
export function progress(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`)
}
