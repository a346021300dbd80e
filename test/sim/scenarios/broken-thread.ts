import { AssertionError } from '../../../src/base/assert.ts'
import type { Scenario, Simulation } from '../simulation.ts'
import { SimSource } from '../sim-source.ts'
import { atOnce, step, type Steps } from '../steps.ts'
import { LogWorld } from './log-world.ts'

/** More steps than two turns take: the breaker throws in one of them. */
const STEPS_MAX = 300
const FILES_AHEAD = 60
const OTHERS = [4, 5]
/** A waiter that was about to fall asleep is woken by its own time-out only. */
const LOCK_WAIT_MS = 200

/**
 * One of three senders throws at some step of an append or a write, with a lock held or without. The
 * others leave with a PoisonedError, no answer leaves after that, and what was written stays right.
 */
export const brokenThread: Scenario = {
  name: 'broken-thread',
  timeoutMax: LOCK_WAIT_MS,
  start(simulation) {
    const world = new LogWorld(simulation)
    makeFiles(world)
    const desk: Desk = { world, isBroken: false, left: 0 }
    simulation.thread('breaker', breakAt(desk, 0, simulation.random.below(STEPS_MAX)))
    for (const thread of OTHERS) {
      simulation.thread(`sender ${thread}`, leave(simulation, desk, sendOn(desk, thread)))
    }
    return () => {
      simulation.expect(desk.left === OTHERS.length, 'a thread was left behind')
      world.model.checkWritten(world.fileAt)
    }
  },
}

interface Desk {
  world: LogWorld
  isBroken: boolean
  left: number
}

/** There is no flush thread here. */
function makeFiles(world: LogWorld): void {
  const { shared, files } = world.parts(1)
  let created = atOnce(shared.created.value())
  for (let nth = 0; nth < FILES_AHEAD; nth++, created += world.fileSize) files.create(created)
  atOnce(shared.publishCreated(created))
}

/** What `failThread` does before it ends the process. */
function* breakAt(desk: Desk, thread: number, steps: number): Steps<void> {
  const { shared } = desk.world.parts(thread)
  try {
    yield* throwAt(sendOn(desk, thread), steps)
  } catch {
    yield* step(shared.poison.setBy(thread))
    desk.isBroken = true
    yield* step(shared.rouseAll())
  }
}

/** Runs `steps` and throws into them where the nth step would be. */
function* throwAt(steps: Steps<void>, nth: number): Steps<void> {
  let answer: unknown
  for (let left = nth; ; left--) {
    const { done, value } = steps.next(answer)
    if (done === true) return
    answer = yield value
    if (left === 0) steps.throw(new Error('broken'))
  }
}

function* leave({ core }: Simulation, desk: Desk, steps: Steps<void>): Steps<void> {
  try {
    yield* steps
  } catch (error) {
    // A position that the broken thread left half moved is given up, too.
    if (!(error instanceof core.PoisonedError || error instanceof AssertionError)) throw error
    desk.left++
  }
}

/** A network worker that answers each send, until the process ends. */
function* sendOn(desk: Desk, thread: number): Steps<void> {
  const { world } = desk
  const { simulation, model } = world
  const { shared, appender, writer } = world.parts(thread)
  const source = new SimSource(model, simulation.random, world.rows)
  for (;;) {
    source.next()
    const status = yield* step(appender.append(source))
    const isWritten = yield* step(writer.write())
    yield* step(shared.poison.check()) // no OK leaves after that
    if (status !== simulation.core.AppendStatus.OK || !isWritten) continue
    simulation.expect(!desk.isBroken, 'an OK leaves although a thread is broken')
    model.seeWritten(source.position + source.length, world.fileAt)
  }
}
