import type { SharedPosition } from '../../../src/ring/position.ts'
import type { LogShared } from '../../../src/store/log-memory.ts'
import { SimSource } from '../sim-source.ts'
import { peek, step, type Steps } from '../steps.ts'
import type { LogParts, LogWorld } from './log-world.ts'

const TURNS = 3
const TURN_MAX = 3
const FILE_WAIT_MS = 2000

/** Appends as network workers and main do: some, then a write, then the answers. */
export function* appendTurns(world: LogWorld, thread: number): Steps<void> {
  const { simulation, model } = world
  const parts = world.parts(thread)
  const source = new SimSource(model, simulation.random, world.rows)
  for (let turn = 0; turn < TURNS; turn++) {
    for (let left = 1 + simulation.random.below(TURN_MAX); left > 0; left--) {
      source.next()
      yield* appendOne(world, parts, source)
    }
    yield* answer(world, parts, source.position + source.length)
  }
  world.busy--
}

/** Tried until it is in: a client would try again. */
function* appendOne(world: LogWorld, parts: LogParts, source: SimSource): Steps<void> {
  const { AppendStatus } = world.simulation.core
  for (;;) {
    const status = yield* step(parts.appender.append(source))
    if (status === AppendStatus.OK) return
    if (status === AppendStatus.NO_ROOM) yield* writeAll(world, parts)
    else yield* awaitFile(parts.shared, source.length)
    yield 'the log takes nothing now'
  }
}

function* awaitFile(shared: LogShared, length: number): Steps<void> {
  const appended = yield* step(shared.appended.value())
  yield* step(shared.awaitCreated(appended + length, FILE_WAIT_MS))
}

/** False: the disk is full. */
function* writeAll(world: LogWorld, { shared, writer }: LogParts): Steps<boolean> {
  const { Thread } = world.simulation.core
  const isDone = yield* step(writer.write())
  if (isDone) {
    yield* step(shared.signalOf(Thread.DISPATCH).wake())
    yield* step(shared.signalOf(Thread.FLUSH).wake())
  }
  return isDone
}

/** The answer leaves when the record is in the file, or with SYNC_FLUSH when that is synced. */
function* answer(world: LogWorld, parts: LogParts, end: number): Steps<void> {
  const { shared } = parts
  const { Fault } = world.simulation.core
  if (yield* step(shared.isStalled())) {
    yield* step(shared.askToWrite())
    yield* awaitPosition(shared, shared.written, end)
  } else {
    while (!(yield* writeAll(world, parts))) {
      yield { until: () => peek(shared.fault()) === Fault.NONE }
    }
  }
  world.model.seeWritten(end, world.fileAt)
  if (world.isSyncFlush) yield* awaitPosition(shared, shared.flushed, end)
}

/** Flush moves it, and wakes who said that they wait. */
function* awaitPosition(shared: LogShared, position: SharedPosition, end: number): Steps<void> {
  for (;;) {
    const seen = yield* step(shared.signal.seen())
    yield* step(shared.setWaiting(true)) // first the flag, then the position
    if ((yield* step(position.value())) >= end) return
    yield* step(shared.signal.sleep(seen, Infinity))
  }
}
