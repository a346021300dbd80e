import type { Scenario, Simulation } from '../simulation.ts'
import { step, type Steps } from '../steps.ts'

const SECTIONS = 4

/** One at a time is inside, and everyone gets in, without any wait timing out. */
export const locks: Scenario = {
  name: 'locks',
  start(simulation) {
    const words = new Int32Array(new SharedArrayBuffer(8))
    const inside: Inside = { thread: -1, count: 0 }
    const threads = 2 + simulation.random.below(3)
    for (let thread = 0; thread < threads; thread++) {
      simulation.thread(`thread ${thread}`, enter(simulation, { words, thread, inside }))
    }
    return () => simulation.expect(inside.count === threads * SECTIONS, 'a section is missing')
  },
}

interface Inside {
  thread: number
  count: number
}

function* enter(
  simulation: Simulation,
  { words, thread, inside }: { words: Int32Array; thread: number; inside: Inside },
): Steps<void> {
  const { core, random } = simulation
  const lock = new core.SharedLock(words, 0, new core.Poison(words, 1))
  for (let nth = 0; nth < SECTIONS; nth++) {
    yield* step(lock.acquire())
    simulation.expect(inside.thread === -1, 'another thread is inside, too')
    inside.thread = thread
    // Longer than others spin, or there would be no sleepers.
    for (let length = random.pick([1, 10, 80]); length > 0; length--) yield 'inside the lock'
    inside.thread = -1
    inside.count++
    yield* step(lock.release())
  }
}
