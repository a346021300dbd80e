import type { DirtyBits } from '../../../src/ring/dirty-bits.ts'
import type { Rows } from '../../../src/ring/rows.ts'
import type { HeldPull } from '../../../src/broker/held-pulls.ts'
import type { Scenario, Simulation } from '../simulation.ts'
import { step, type Steps } from '../steps.ts'

const ROWS = 2
const MESSAGES = 5
const SIGNAL_WORDS = 4

interface Desk {
  rows: SharedArrayBuffer
  dirty: SharedArrayBuffer[]
  signals: Int32Array
  /** Where the queue starts: offsets cross 4 GiB in some runs. */
  start: number
}

/** Pulls that are parked while their queue moves are all answered: no wake-up is lost. */
export const heldPulls: Scenario = {
  name: 'held-pulls',
  start(simulation) {
    const { core, random } = simulation
    const workers = 1 + random.below(2)
    const desk: Desk = {
      rows: core.Rows.allocate(ROWS),
      dirty: Array.from({ length: workers }, () => core.DirtyBits.allocate(ROWS)),
      signals: new Int32Array(new SharedArrayBuffer(workers * SIGNAL_WORDS * 4)),
      start: random.pick([0, 2 ** 32 - 2]),
    }
    simulation.thread('dispatch', publish(simulation, desk))
    for (let worker = 0; worker < workers; worker++) {
      simulation.thread(`network ${worker}`, pull(simulation, desk, worker))
    }
    return () => {}
  },
}

/** As DispatchAgent does it: `max`, then the waiters, their bits, one wake per worker. */
function* publish({ core, random }: Simulation, desk: Desk): Steps<void> {
  const rows = new core.Rows(desk.rows)
  const dirty = desk.dirty.map((memory) => new core.DirtyBits(memory, ROWS))
  for (let row = 0; row < ROWS; row++) yield* step(rows.publishMax(row, desk.start))
  for (let nth = 1; nth <= MESSAGES; nth++) {
    for (let row = 0; row < ROWS; row++) {
      yield* step(rows.publishMax(row, desk.start + nth))
      yield* tell(desk, { core, row, waiters: yield* step(rows.takeWaiters(row)), dirty })
      if (random.oneIn(2)) yield 'nothing comes in'
    }
  }
}

function* tell(
  desk: Desk,
  told: { core: Simulation['core']; row: number; waiters: number; dirty: DirtyBits[] },
): Steps<void> {
  for (const [worker, dirty] of told.dirty.entries()) {
    if ((told.waiters & (1 << worker)) === 0) continue
    yield* step(dirty.add(told.row))
    yield* step(new told.core.Signal(desk.signals, worker * SIGNAL_WORDS).wake())
  }
}

/** A network worker: one pull per queue, held whenever there is nothing to read. */
function* pull({ core }: Simulation, desk: Desk, worker: number): Steps<void> {
  const rows = new core.Rows(desk.rows)
  const held = new core.HeldPulls(rows, worker)
  const dirty = new core.DirtyBits(desk.dirty[worker]!, ROWS)
  const pulls = Array.from({ length: ROWS }, (_, row) => newPull(row, desk.start))
  let isFirst = true
  const turn = function* (): Steps<void> {
    const moved: number[] = []
    yield* step(dirty.take(moved))
    const ready = isFirst ? [...pulls] : []
    isFirst = false
    for (const row of moved) ready.push(...(yield* step(held.take(row))))
    for (const each of ready) yield* serve(rows, held, each, desk)
  }
  const ended: unknown = core.runOnLoop(
    turn,
    new core.Signal(desk.signals, worker * SIGNAL_WORDS),
    () => pulls.every(({ offset }) => offset === desk.start + MESSAGES),
  )
  yield* step(ended)
}

function* serve(
  rows: Rows,
  held: InstanceType<Simulation['core']['HeldPulls']>,
  pulled: HeldPull,
  desk: Desk,
): Steps<void> {
  while (pulled.offset < desk.start + MESSAGES) {
    const max = yield* step(rows.max(pulled.row))
    if (max > pulled.offset) pulled.offset = max
    else if (yield* step(held.park(pulled))) return
  }
}

/** Only what HeldPulls looks at. */
export function newPull(row: number, offset: number): HeldPull {
  const session = { held: new Set() }
  return { session, row, offset, deadlineMs: 2 ** 40 } as unknown as HeldPull
}
