import type { ClientSession } from '../../../src/broker/client-session.ts'
import type { Gate, GatedReplies } from '../../../src/broker/gated-replies.ts'
import { ConsumeQueue, queueDirectory, readUnit } from '../../../src/store/consume-queue.ts'
import { DescriptorCache } from '../../../src/store/descriptor-cache.ts'
import { atOnce, peek, step, type Steps } from '../steps.ts'
import { keyIndexOf } from './store-index.ts'
import type { StoreLife, StoreParts } from './store-life.ts'
import { topicsOf } from './store-retention.ts'
import { QUEUES, StoreSource } from './store-sources.ts'
import type { StoredRecord } from './store-ledger.ts'
import { ROOT } from './store-world.ts'

const TURNS_MAX = 5
const TURN_MAX = 3
/** A sender tries so often before it goes away without an answer. */
const TRIES_MAX = 40

/** Agents are made before the threads run: constructors run in one go. */
export function startThreads(life: StoreLife): void {
  const { scheduler, senders, world } = life
  for (const thread of senders) scheduler.add(`sender ${thread}`, send(life, thread))
  scheduler.add('flush', flush(life))
  scheduler.add('dispatch', dispatch(life))
  scheduler.add('consumer', consume(life))
  scheduler.add('kernel', writeBack(life))
  if (world.random.oneIn(6)) scheduler.add('space', fillUp(life))
  scheduler.add('end', end(life))
}

function flush(life: StoreLife): Steps<void> {
  const { core, disk, isSyncFlush } = life.world
  const { shared, files, writer } = life.parts(core.Thread.FLUSH)
  const retention = life.retention(files)
  const parts = { files, writer, disk, clock: life.clock, ...(retention && { retention }) }
  const options = { root: ROOT, isSyncFlush, intervalMs: 2, leastPages: 0, thoroughMs: 10 }
  const agent = new core.FlushAgent(shared, parts, options)
  return step<void>(core.run(agent, shared.signal, () => shared.isStopped()))
}

function dispatch(life: StoreLife): Steps<void> {
  const { core, disk, isSyncFlush, sizes } = life.world
  const { shared, window, files } = life.parts(core.Thread.DISPATCH)
  const visible = isSyncFlush ? shared.flushed : shared.written
  const changes = topicsOf(QUEUES)
  const agent = new core.DispatchAgent(shared, {
    window,
    files,
    disk,
    queues: { root: `${ROOT}/consumequeue`, fileSize: sizes.queueFileSize },
    visible: () => visible.value(),
    dirty: [new core.DirtyBits(life.dirty, QUEUES.length)],
    takeChanges: () => changes.splice(0),
    index: life.world.hasIndex ? keyIndexOf(life.world, life.memory, life.clock) : null,
  })
  return step<void>(core.run(agent, shared.signal, () => shared.isStopped()))
}

/** A network worker: its gates hold the answers back, as NetworkAgent has it. */
interface Sender {
  life: StoreLife
  parts: StoreParts
  source: StoreSource
  written: GatedReplies
  flushed: GatedReplies
}

function* send(life: StoreLife, thread: number): Steps<void> {
  const { world } = life
  const { core, random, ledger, isEqual, hasIndex } = world
  const sender: Sender = {
    life,
    parts: life.parts(thread),
    source: new StoreSource(ledger, random, { isEqual, hasKeys: hasIndex }),
    written: new core.GatedReplies(),
    flushed: new core.GatedReplies(),
  }
  const { shared } = sender.parts
  for (let turns = 1 + random.below(TURNS_MAX); turns > 0; turns--) {
    for (let left = 1 + random.below(TURN_MAX); left > 0; left--) yield* sendOne(sender)
    yield* endTurn(sender)
  }
  for (let tries = 0; tries < TRIES_MAX && isWaiting(sender); tries++) {
    const seen = yield* step(shared.signal.seen())
    yield* endTurn(sender)
    if (isWaiting(sender)) yield* step(shared.signal.sleep(seen, 100))
  }
  life.busy--
}

function isWaiting({ written, flushed }: Sender): boolean {
  return !written.isEmpty || !flushed.isEmpty
}

/** Refused while there is a fault; tried again while there is no room. */
function* sendOne(sender: Sender): Steps<void> {
  const { life, parts, source } = sender
  const { AppendStatus, Fault } = life.world.core
  source.next()
  if ((yield* step(parts.shared.fault())) !== Fault.NONE) return
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const status = yield* step(parts.appender.append(source))
    if (status === AppendStatus.OK) {
      addGates(sender, source.records)
      return
    }
    if (status === AppendStatus.NO_ROOM && !(yield* writeAll(sender))) return
    yield 'the log takes nothing now'
  }
}

function addGates({ life, written, flushed }: Sender, records: readonly StoredRecord[]): void {
  const gates = life.world.isSyncFlush ? flushed : written
  for (const record of records) {
    gates.add(record as unknown as ClientSession, { position: record.end } as Gate)
  }
}

function* writeAll({ life, parts }: Sender): Steps<boolean> {
  const { Thread } = life.world.core
  const isDone = yield* step(parts.writer.write())
  if (isDone) {
    yield* step(parts.shared.signalOf(Thread.DISPATCH).wake())
    yield* step(parts.shared.signalOf(Thread.FLUSH).wake())
  }
  return isDone
}

function* endTurn(sender: Sender): Steps<void> {
  const { parts, written, flushed } = sender
  const { shared, writer } = parts
  if (!isWaiting(sender)) return
  if ((yield* step(writer.unwritten())) > 0) yield* writeAll(sender)
  yield* release(sender, written, yield* step(shared.written.value()))
  if (!isWaiting(sender)) return
  yield* step(shared.setWaiting(true)) // first the flag, then the positions
  yield* release(sender, written, yield* step(shared.written.value()))
  yield* release(sender, flushed, yield* step(shared.flushed.value()))
}

function* release({ life, parts }: Sender, gates: GatedReplies, position: number): Steps<void> {
  const ready: StoredRecord[] = []
  gates.release(position, (record) => ready.push(record as unknown as StoredRecord))
  if (ready.length === 0) return
  yield* step(parts.shared.poison.check())
  for (const record of ready) life.acknowledge(record)
}

/** Reads each message of each queue as soon as `max` says that it is there. */
function* consume(life: StoreLife): Steps<void> {
  const { core, disk, sizes } = life.world
  const { shared, reader } = life.parts(core.Thread.REPLICATE)
  const place = { root: `${ROOT}/consumequeue`, fileSize: sizes.queueFileSize }
  const descriptors = new DescriptorCache(disk, { max: 8, isReadOnly: true })
  const options = { fileSize: place.fileSize, disk, descriptors }
  const queues = QUEUES.map(({ topic, queueId }, row) => ({
    queue: new ConsumeQueue(queueDirectory(place, topic, queueId), options),
    next: atOnce(shared.rows.min(row)),
  }))
  // The low word of `max`, as ring/rows has it: this is asked before every step.
  const words = new Int32Array(life.memory.rows)
  const isMoved = () => queues.some(({ next }, row) => words[row * 16 + 4]! > next)
  while (!life.isOver) {
    yield { until: () => life.isOver || isMoved() }
    for (const [row, each] of queues.entries()) {
      const max = yield* step(shared.rows.max(row))
      for (; each.next < max; each.next++) {
        yield* readOne(life, { reader, queue: each.queue, row, offset: each.next })
      }
    }
  }
  descriptors.closeAll()
}

function* readOne(
  life: StoreLife,
  {
    reader,
    queue,
    row,
    offset,
  }: { reader: StoreParts['reader']; queue: ConsumeQueue; row: number; offset: number },
): Steps<void> {
  if (offset < (yield* step(life.parts(0).shared.rows.min(row)))) return
  const entry = Buffer.alloc(20)
  const unit = { position: 0, length: 0, tagsCode: 0 }
  if (queue.read(offset, 1, entry) === 1)
    readUnit(unit, new DataView(entry.buffer, entry.byteOffset), 0)
  const message = Buffer.alloc(Math.min(unit.length, 4096))
  try {
    if (unit.length > 0 && unit.length <= 4096) {
      yield* step(reader.read(unit.position, unit.length, message, 0))
    }
  } catch (error) {
    if (!life.isGone(unit.position)) throw error
  }
  if (!life.isGone(unit.position)) life.see(row, offset, message)
}

/** Dirty pages do not stay in memory for long. */
function* writeBack(life: StoreLife): Steps<void> {
  let last = life.clock.now()
  while (!life.isOver) {
    yield { until: () => life.isOver || life.clock.now() - last > 30_000 }
    life.world.passTime(life.clock.now() - life.world.timeMs)
    last = life.clock.now()
  }
}

/** The disk is full for a while. */
function* fillUp(life: StoreLife): Steps<void> {
  const { random, disk } = life.world
  for (let left = random.below(300); left > 0 && !life.isOver; left--) yield 'there is space'
  const path = random.pick([
    'commitlog',
    life.world.hasIndex ? 'index' : 'consumequeue',
    'checkpoint',
    '/',
  ])
  disk.refusal = { code: 'ENOSPC', path }
  life.wasRefused = true
  for (let left = random.below(400); left > 0 && !life.isOver; left--) yield 'the disk is full'
  disk.refusal = null
}

/** Main, when all senders are through and the followers have come as far as they can: a stop. */
function* end(life: StoreLife): Steps<void> {
  const { core } = life.world
  yield { until: () => life.busy === 0 }
  const { shared, writer } = life.parts(core.Thread.MAIN)
  yield* step(writer.write()) // somebody may have ended a file and then given up
  yield* step(shared.signalOf(core.Thread.DISPATCH).wake())
  yield* step(shared.signalOf(core.Thread.FLUSH).wake())
  yield { until: () => isSettled(life) || peek(shared.fault()) === core.Fault.FENCED }
  life.isOver = true
  yield* step(shared.stop())
}

export function isSettled(life: StoreLife): boolean {
  const { shared } = life.parts(0)
  const { appended, written, flushed, dispatched } = shared
  const last = peek(appended.value())
  const followers = [written, flushed, dispatched]
  if (life.world.hasIndex) followers.push(life.indexed)
  const isThere = followers.every((position) => peek(position.value()) === last)
  return isThere && peek(shared.fault()) === life.world.core.Fault.NONE
}
