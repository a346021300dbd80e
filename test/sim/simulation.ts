import { Random } from './random.ts'
import { Scheduler, SimFailure } from './scheduler.ts'
import type { Stepped, SteppedExports } from './stepped-modules.ts'
import type { Steps } from './steps.ts'

/** Nobody ends a pause. */
const PAUSE_MS = 1
/** Agents nap and retry by the clock. */
const AGENT_WAIT_MAX_MS = 1000

/** One run: the threads of a scenario, chosen and interleaved as a seed decides. */
export class Simulation {
  readonly seed: number
  readonly random: Random
  readonly core: SteppedExports
  readonly scheduler: Scheduler

  constructor(stepped: Stepped, seed: number, scenario: Scenario) {
    this.seed = seed
    this.random = new Random(seed)
    this.core = stepped.exports
    const isLate = this.random.oneIn(8)
    const crashes = scenario.crashes === true && this.random.oneIn(2)
    this.scheduler = new Scheduler({
      random: this.random,
      mayTimeOut: ({ place, ms }) => {
        if (isLate) return ms !== Infinity
        const isAgents = stepped.places[place]!.path === 'src/ring/signal.ts'
        return ms <= (isAgents ? AGENT_WAIT_MAX_MS : Math.max(PAUSE_MS, scenario.timeoutMax ?? 0))
      },
      crashAt: crashes ? this.random.below(8000) : Infinity,
    })
    stepped.stepper.use(this.scheduler)
  }

  thread(name: string, steps: Steps<void>): void {
    this.scheduler.add(name, steps)
  }

  /** What must hold. */
  expect(holds: boolean, problem: string): void {
    if (!holds) throw new SimFailure(`${this.scheduler.running}: ${problem}`)
  }

  /** All memory is gone, only files are left. */
  get hasCrashed(): boolean {
    return this.scheduler.hasCrashed
  }
}

/** Threads that do something together, and what must then hold. */
export interface Scenario {
  name: string
  /**
   * Longest wait in ms, but for agents' own, that may time out in every run. In one of eight runs
   * all finite ones may.
   */
  timeoutMax?: number
  /** Whether runs end in the middle, with all memory lost. */
  crashes?: boolean
  /** Adds the threads; what it returns is called when all have ended, or memory was lost. */
  start(simulation: Simulation): () => void
}
