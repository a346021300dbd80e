import { Simulation, type Scenario } from './simulation.ts'
import type { Stepped } from './stepped-modules.ts'
import { traceOf } from './trace.ts'

export interface Failure {
  scenario: string
  seed: number
  steps: number
  error: Error
  /** Its last steps as text, oldest first. */
  trace: string[]
}

/** Steps of a failing run that are printed. */
const TRACE_LINES = 60

export interface Exploration {
  runs: number
  steps: number
  /** The shortest of the failing runs that were looked at; null when all passed. */
  failure: Failure | null
}

/**
 * Runs a scenario from `from` on, `count` seeds. After a failure it looks at a few more seeds for a
 * shorter one.
 */
export function explore(
  scenario: Scenario,
  stepped: Stepped,
  { from, count, more = 0 }: { from: number; count: number; more?: number },
): Exploration {
  const exploration: Exploration = { runs: 0, steps: 0, failure: null }
  let end = from + count
  for (let seed = from; seed < end; seed++) {
    const { failure, steps } = runSeed(scenario, stepped, seed)
    exploration.runs++
    exploration.steps += steps
    if (failure === null) continue
    const shortest = exploration.failure
    if (shortest === null) end = seed + 1 + more
    if (shortest === null || steps < shortest.steps) exploration.failure = failure
  }
  return exploration
}

export function runSeed(
  scenario: Scenario,
  stepped: Stepped,
  seed: number,
): { failure: Failure | null; steps: number } {
  const simulation = new Simulation(stepped, seed, scenario)
  const { scheduler } = simulation
  try {
    const check = scenario.start(simulation)
    scheduler.run()
    check()
    return { failure: null, steps: scheduler.steps }
  } catch (error) {
    const { steps } = scheduler
    const trace = traceOf(scheduler.trace().slice(-TRACE_LINES), stepped.places)
    return {
      failure: { scenario: scenario.name, seed, steps, error: error as Error, trace },
      steps,
    }
  }
}

/** What a failure prints: how to replay it, what was wrong and what happened last. */
export function describeFailure({ scenario, seed, steps, error, trace }: Failure): string {
  return [
    `${scenario} fails with seed ${seed} after ${steps} steps: ${error.message}`,
    `replay: node test/sim/run.ts --scenario ${scenario} --from ${seed} --seeds 1`,
    ...trace,
    ...(error.name === 'SimFailure' ? [] : [error.stack ?? '']),
  ].join('\n')
}
