import type { Scenario } from '../simulation.ts'
import { atOnce, step, type Steps } from '../steps.ts'

/** A fence that one thread sets stays, and what flush lacks, whatever writers say of the space meanwhile. */
export const faults: Scenario = {
  name: 'faults',
  start(simulation) {
    const { core } = simulation
    const memory = core.allocateLogMemory({ windowSize: 512, slack: 64, threads: 4, rows: 1 })
    const { Fault, Shortage } = core
    const set = function* (thread: number, values: number[]): Steps<void> {
      const shared = new core.LogShared(memory, thread)
      for (const value of values) yield* step(shared.setFault(value))
    }
    simulation.thread('writer 0', set(0, [Fault.NO_SPACE, Fault.NONE, Fault.NO_SPACE]))
    simulation.thread('writer 1', set(2, [Fault.NONE, Fault.NO_SPACE, Fault.NONE]))
    const flush = function* (): Steps<void> {
      const shared = new core.LogShared(memory, 1)
      yield* step(shared.setShortage(Shortage.OVER_LEVEL, true))
      yield* step(shared.setFault(Fault.FENCED))
    }
    simulation.thread('flush', flush())
    return () => {
      const refusal = atOnce(new core.LogShared(memory, 3).refusal()) & ~Fault.NO_SPACE
      const expected = Fault.FENCED | Shortage.OVER_LEVEL
      simulation.expect(refusal === expected, 'the fence is gone, or a shortage')
    }
  },
}
