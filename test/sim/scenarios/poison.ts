import type { Agent } from '../../../src/ring/agent.ts'
import type { LogShared } from '../../../src/store/log-memory.ts'
import type { Scenario, Simulation } from '../simulation.ts'
import { step, type Steps } from '../steps.ts'

const FILE_WAIT_MS = 2000
/** A waiter that was about to fall asleep is woken by its own time-out only. */
const LOCK_WAIT_MS = 200

/**
 * A thread throws with the append lock held. The others, at the lock, asleep, or waiting for a file,
 * all find out and leave with a PoisonedError, and nobody gets in after it.
 */
export const poison: Scenario = {
  name: 'poison',
  timeoutMax: LOCK_WAIT_MS,
  start(simulation) {
    const { core, random } = simulation
    const memory = core.allocateLogMemory({ windowSize: 512, slack: 64, threads: 5, rows: 1 })
    const shared = (thread: number) => new core.LogShared(memory, thread)
    const desk: Desk = { isBroken: false, left: 0 }
    simulation.thread('breaker', fail(shared(2), desk, random.below(3)))
    simulation.thread('sender 0', leave(simulation, desk, send(simulation, shared(0), desk)))
    simulation.thread('sender 4', leave(simulation, desk, send(simulation, shared(4), desk)))
    simulation.thread('sleeper', leave(simulation, desk, sleep(simulation, shared(3))))
    simulation.thread('writer', leave(simulation, desk, awaitFile(shared(1))))
    return () => simulation.expect(desk.left === 4, 'a thread was left behind')
  },
}

interface Desk {
  isBroken: boolean
  left: number
}

/** What `failThread` does before it ends the process. */
function* fail(shared: LogShared, desk: Desk, sections: number): Steps<void> {
  for (let nth = 0; nth <= sections; nth++) {
    yield* step(shared.appendLock.acquire())
    yield 'inside the lock'
    if (nth < sections) yield* step(shared.appendLock.release())
  }
  yield* step(shared.poison.setBy(shared.thread))
  desk.isBroken = true
  yield* step(shared.rouseAll())
}

function* leave({ core }: Simulation, desk: Desk, steps: Steps<void>): Steps<void> {
  try {
    yield* steps
  } catch (error) {
    if (!(error instanceof core.PoisonedError)) throw error
    desk.left++
  }
}

function* send(simulation: Simulation, shared: LogShared, desk: Desk): Steps<void> {
  for (;;) {
    yield* step(shared.appendLock.acquire())
    simulation.expect(!desk.isBroken, 'it got in although a thread broke inside')
    yield 'inside the lock'
    yield* step(shared.appendLock.release())
  }
}

function* sleep({ core }: Simulation, shared: LogShared): Steps<void> {
  const agent = {
    *turn(): Steps<number> {
      yield* step(shared.poison.check())
      return 0
    },
    idleMs: () => Infinity,
    close: () => {},
  }
  yield* step(core.run(agent as unknown as Agent, shared.signal, () => false))
}

/** A file that nobody will make any more. */
function* awaitFile(shared: LogShared): Steps<void> {
  for (;;) {
    yield* step(shared.awaitCreated(1000, FILE_WAIT_MS))
  }
}
