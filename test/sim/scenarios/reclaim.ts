import type { LogShared } from '../../../src/store/log-memory.ts'
import type { Scenario, Simulation } from '../simulation.ts'
import { atOnce, step, type Steps } from '../steps.ts'

const WINDOW = 512
const APPENDS = 12
const LENGTH_MAX = 400
const READS = 6
/** Main appends, two others read; the floor that is guarded is that of each reader. */
const READERS = [3, 4]

interface Desk {
  appended: number
  /** Bytes below are overwritten from now on. */
  overwritten: number
}

/** Room is made for appends, long and short, while others hold floors: nobody loses his bytes. */
export const reclaim: Scenario = {
  name: 'reclaim',
  start(simulation) {
    const { core, random } = simulation
    const memory = core.allocateLogMemory({ windowSize: WINDOW, slack: 0, threads: 5, rows: 1 })
    // What is reclaimed crosses 4 GiB soon.
    const start = 2 ** 32 + random.below(WINDOW)
    const desk: Desk = { appended: start, overwritten: start - WINDOW }
    const shared = (thread: number) => new core.LogShared(memory, thread)
    atOnce(shared(0).start(desk.overwritten, { minPosition: 0, timestamp: 0 }))
    atOnce(shared(0).written.publish(start))
    simulation.thread('appender', append(simulation, shared(0), desk))
    for (const thread of READERS) {
      simulation.thread(`reader ${thread}`, read(simulation, shared(thread), desk))
    }
    return () => {}
  },
}

/** As an appender with the lock does it, when writes always keep up. */
function* append({ core, random }: Simulation, shared: LogShared, desk: Desk): Steps<void> {
  const window = new core.LogWindow(shared)
  for (let nth = 0; nth < APPENDS; nth++) {
    const end = desk.appended + 1 + random.below(random.pick([20, LENGTH_MAX]))
    if (!(yield* step(window.makeRoom(end)))) continue
    desk.overwritten = Math.max(desk.overwritten, end - WINDOW)
    yield* step(shared.written.publish(end))
    desk.appended = end
  }
}

function* read(simulation: Simulation, shared: LogShared, desk: Desk): Steps<void> {
  for (let nth = 0; nth < READS; nth++) {
    const position = desk.appended - simulation.random.below(WINDOW + 100)
    if (!(yield* step(shared.floor.guard(position)))) continue
    for (let left = simulation.random.below(30); left >= 0; left--) {
      yield 'reads under its floor'
      const isSafe = desk.overwritten <= position
      simulation.expect(isSafe, `${position} is overwritten up to ${desk.overwritten}`)
    }
    yield* step(shared.floor.clear())
  }
}
