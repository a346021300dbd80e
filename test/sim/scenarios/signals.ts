import type { Agent } from '../../../src/ring/agent.ts'
import type { Signal } from '../../../src/ring/signal.ts'
import type { Scenario, Simulation } from '../simulation.ts'
import { step, type Steps } from '../steps.ts'

const WAKERS = 2
const WORK = 4
/** A nap that only a rouse ends: see `Scenario.timeoutMax`. */
const LONG_NAP_MS = 10_000

interface Desk {
  pending: number
  done: number
}

/** An agent that sleeps, one that naps, and one with an event loop: each does all it is woken for. */
export const signals: Scenario = {
  name: 'signals',
  start(simulation) {
    const { core, random } = simulation
    const words = new Int32Array(new SharedArrayBuffer(16))
    const signal = () => new core.Signal(words, 0)
    const desk: Desk = { pending: 0, done: 0 }
    const kind = random.pick(['sleeper', 'napper', 'loop'] as const)
    if (kind === 'loop') simulation.thread(kind, loop(simulation, signal(), desk))
    else simulation.thread(kind, work(simulation, signal(), desk, kind === 'napper'))
    for (let nth = 0; nth < WAKERS; nth++) {
      simulation.thread(`waker ${nth}`, wake(signal(), desk, kind === 'napper'))
    }
    return () => simulation.expect(desk.done === WAKERS * WORK, 'something was not done')
  },
}

function* work({ core }: Simulation, signal: Signal, desk: Desk, naps: boolean): Steps<void> {
  const agent = {
    naps,
    *turn(): Steps<number> {
      yield 'looks for work'
      return take(desk)
    },
    idleMs: () => (naps ? LONG_NAP_MS : Infinity),
    close: () => {},
  }
  yield* step(core.run(agent as unknown as Agent, signal, () => isDone(desk)))
}

function* loop({ core }: Simulation, signal: Signal, desk: Desk): Steps<void> {
  const turn = function* (): Steps<void> {
    yield 'looks for work'
    take(desk)
  }
  const ended: unknown = core.runOnLoop(turn, signal, () => isDone(desk))
  yield* step(ended)
}

function* wake(signal: Signal, desk: Desk, isRouse: boolean): Steps<void> {
  for (let nth = 0; nth < WORK; nth++) {
    yield 'brings work'
    desk.pending++
    yield* step(isRouse ? signal.rouse() : signal.wake())
  }
}

function take(desk: Desk): number {
  const taken = desk.pending
  desk.pending = 0
  desk.done += taken
  return taken
}

function isDone({ done }: Desk): boolean {
  return done === WAKERS * WORK
}
