import { ConsumeQueue, queueDirectory, readUnit } from '../../../src/store/consume-queue.ts'
import { DescriptorCache } from '../../../src/store/descriptor-cache.ts'
import type { HeldPull } from '../../../src/broker/held-pulls.ts'
import { SIM_APPEND_MAX, SIM_TOPIC } from '../sim-source.ts'
import { peek, step, type Steps } from '../steps.ts'
import { newPull } from './held-pulls.ts'
import type { LogParts, LogWorld } from './log-world.ts'

const GIB = 2 ** 30

/** Reads here and there up to `written`, under a floor or from the file, and watches the positions. */
export function* readAround(world: LogWorld, thread: number): Steps<void> {
  const parts = world.parts(thread)
  const { shared } = parts
  let last = -1
  while (!world.isOver) {
    const seen = last
    yield { until: () => world.isOver || peek(shared.written.value()) !== seen }
    last = yield* watch(world, parts, last)
    yield* readSome(world, parts, last)
    yield* askFarBehind(world, parts, last)
  }
}

/** Positions only grow and keep their order; what is `written` is in the file. Returns `written`. */
function* watch(world: LogWorld, { shared }: LogParts, last: number): Steps<number> {
  const { simulation, model } = world
  const dispatched = yield* step(shared.dispatched.value())
  const flushed = yield* step(shared.flushed.value())
  const timestamp = yield* step(shared.writtenTimestamp.value())
  const written = yield* step(shared.written.value())
  const appended = yield* step(shared.appended.value())
  model.seeWritten(written, world.fileAt)
  const found = JSON.stringify({ dispatched, flushed, written, appended })
  simulation.expect(flushed <= written && written <= appended, `positions out of order: ${found}`)
  const visible = world.isSyncFlush ? flushed : written
  simulation.expect(dispatched <= visible, `dispatched beyond visible: ${found}`)
  simulation.expect(written >= last, `written goes back from ${last}: ${found}`)
  const known = model.timestampBelow(written)
  simulation.expect(timestamp <= known, `${timestamp} is of no record below ${written}`)
  return written
}

function* readSome(world: LogWorld, parts: LogParts, written: number): Steps<void> {
  const { model, fileSize, simulation } = world
  const { random } = simulation
  const oldest = Math.max(model.start, written - 2 * parts.window.size)
  if (oldest === written) return
  const position = oldest + random.below(written - oldest)
  const fileEnd = position - (position % fileSize) + fileSize
  const length = Math.min(1 + random.below(SIM_APPEND_MAX), fileEnd - position, written - position)
  yield* readAt(world, parts, position, length)
}

function* readAt(
  world: LogWorld,
  { reader }: LogParts,
  position: number,
  length: number,
): Steps<void> {
  const bytes = Buffer.alloc(length)
  const count = yield* step(reader.read(position, length, bytes, 0))
  world.simulation.expect(count === length, `${count} of ${length} bytes at ${position}`)
  world.model.checkBytes(position, bytes, 'what was read')
}

/** Whole windows fit into 4 GiB, so the low words of a position say nothing of far away ones. */
function* askFarBehind(world: LogWorld, { shared }: LogParts, written: number): Steps<void> {
  const { simulation } = world
  const position = written - simulation.random.pick([1, 2.5, 3, 3.5, 4, 7]) * GIB
  const holds = yield* step(shared.floor.guard(position))
  simulation.expect(!holds, `a floor at ${position} is said to hold at ${written}`)
}

/** A network worker that holds one pull on every queue and reads each message once, in order. */
export function* pullAll(world: LogWorld, network: number): Steps<void> {
  const { core } = world.simulation
  const parts = world.parts(core.Thread.NETWORK + network)
  const { shared } = parts
  const held = new core.HeldPulls(shared.rows, network)
  const dirty = new core.DirtyBits(world.dirty[network]!, world.rows)
  const puller = { world, parts, held, queue: queues(world) }
  const pulls = Array.from({ length: world.rows }, (_, row) => newPull(row, 0))
  world.pulls.push(...pulls)
  let isFirst = true
  const turn = function* (): Steps<void> {
    const moved: number[] = []
    yield* step(dirty.take(moved))
    const ready = isFirst ? [...pulls] : []
    isFirst = false
    for (const row of moved) ready.push(...(yield* step(held.take(row))))
    for (const pull of ready) yield* serve(puller, pull)
    yield* step(shared.setHolding(held.count > 0))
  }
  const ended: unknown = core.runOnLoop(turn, shared.signal, () => world.isOver)
  yield* step(ended)
}

interface Puller {
  world: LogWorld
  parts: LogParts
  held: InstanceType<LogWorld['simulation']['core']['HeldPulls']>
  queue: (row: number) => ConsumeQueue
}

function* serve(puller: Puller, pull: HeldPull): Steps<void> {
  const { rows } = puller.parts.shared
  for (;;) {
    const max = yield* step(rows.max(pull.row))
    if (pull.offset < max) yield* readMessages(puller, pull, max)
    else if (yield* step(puller.held.park(pull))) return
  }
}

function* readMessages({ world, parts, queue }: Puller, pull: HeldPull, max: number): Steps<void> {
  const bytes = Buffer.alloc(20)
  const unit = { position: 0, length: 0, tagsCode: 0 }
  for (; pull.offset < max; pull.offset++) {
    const count = queue(pull.row).read(pull.offset, 1, bytes)
    world.simulation.expect(count === 1, `no entry ${pull.offset} although max is ${max}`)
    readUnit(unit, new DataView(bytes.buffer, bytes.byteOffset), 0)
    const known = world.model.queues[pull.row]![pull.offset]
    const isRight = known?.position === unit.position && known.length === unit.length
    world.simulation.expect(isRight, `entry ${pull.offset} is ${JSON.stringify(unit)}`)
    yield* readAt(world, parts, unit.position, unit.length)
  }
}

function queues(world: LogWorld): (row: number) => ConsumeQueue {
  const { disk, places } = world
  const descriptors = new DescriptorCache(disk, { max: 8 })
  const { fileSize } = places
  const all = Array.from({ length: world.rows }, (_, row) => {
    const directory = queueDirectory(places, SIM_TOPIC, row)
    return new ConsumeQueue(directory, { fileSize, disk, descriptors })
  })
  return (row) => all[row]!
}
