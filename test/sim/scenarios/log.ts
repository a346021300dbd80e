import type { Scenario } from '../simulation.ts'
import { SIM_TOPIC } from '../sim-source.ts'
import { atOnce, step, type Steps } from '../steps.ts'
import { appendTurns } from './log-appends.ts'
import { pullAll, readAround } from './log-readers.ts'
import { LogWorld } from './log-world.ts'

/**
 * A log of a few hundred bytes with everyone on it: main and network workers that append and write,
 * the flush and dispatch agents as they are, workers that hold pulls, and one that reads. Queue
 * offsets are dense and in log order, time does not go back, every byte that is read is right, every
 * message reaches every pull, and what anyone saw as written is in the files, also after a crash.
 */
export const log: Scenario = {
  name: 'log',
  crashes: true,
  start(simulation) {
    const world = new LogWorld(simulation)
    const { Thread } = simulation.core
    for (const thread of world.senders) {
      simulation.thread(`sender ${thread}`, appendTurns(world, thread))
    }
    simulation.thread('flush', flush(world))
    simulation.thread('dispatch', dispatch(world))
    simulation.thread('reader', readAround(world, Thread.REPLICATE))
    for (let nth = 0; nth < world.pullers; nth++) {
      simulation.thread(`puller ${nth}`, pullAll(world, nth))
    }
    simulation.thread('end', end(world))
    return () => checkEnd(world)
  },
}

/** Agents are made before the threads run: constructors run in one go. */
function flush(world: LogWorld): Steps<void> {
  const { core } = world.simulation
  const { shared, files, writer } = world.parts(core.Thread.FLUSH)
  const { disk, isSyncFlush } = world
  const agent = new core.FlushAgent(
    shared,
    { files, writer, disk, clock: world.clock(core.Thread.FLUSH) },
    { root: '/store', isSyncFlush, intervalMs: 2, leastPages: 0, thoroughMs: 2 },
  )
  return step<void>(core.run(agent, shared.signal, () => shared.isStopped()))
}

function dispatch(world: LogWorld): Steps<void> {
  const { core } = world.simulation
  const { shared, window, files } = world.parts(core.Thread.DISPATCH)
  const { disk, places: queues, rows } = world
  const changes = [{ topic: SIM_TOPIC, rows: Array.from({ length: rows }, (_, row) => row) }]
  const visible = world.isSyncFlush ? shared.flushed : shared.written
  const agent = new core.DispatchAgent(shared, {
    window,
    files,
    disk,
    queues,
    visible: () => visible.value(),
    dirty: world.dirty.map((memory) => new core.DirtyBits(memory, rows)),
    takeChanges: () => changes.splice(0),
  })
  return step<void>(core.run(agent, shared.signal, () => shared.isStopped()))
}

/** Main, when everything is answered: all threads leave. */
function* end(world: LogWorld): Steps<void> {
  const { core } = world.simulation
  yield { until: () => world.isAnswered() }
  world.isOver = true
  yield* step(new core.LogShared(world.memory, core.Thread.MAIN).stop())
}

function checkEnd(world: LogWorld): void {
  const { simulation, model } = world
  if (!simulation.hasCrashed) {
    const { shared } = world.parts(simulation.core.Thread.MAIN)
    const [written, appended] = [atOnce(shared.written.value()), atOnce(shared.appended.value())]
    simulation.expect(written === appended, `${written} of ${appended} is written`)
    model.seeWritten(written, world.fileAt)
  }
  model.checkWritten(world.fileAt)
}
