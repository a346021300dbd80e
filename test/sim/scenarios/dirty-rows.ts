import type { Scenario, Simulation } from '../simulation.ts'
import { step, type Steps } from '../steps.ts'

/** Over more than one word of bits, under one word of summary and under two. */
const ROWS = [70, 2000]
const ADDS = 10

interface Desk {
  words: Int32Array
  bits: SharedArrayBuffer
  rows: number
  /** How often each row was added. */
  added: Map<number, number>
  /** What `added` said when the row was last taken. */
  taken: Map<number, number>
  isOver: boolean
}

/** Whatever is added is taken afterwards, however often it was added before. */
export const dirtyRows: Scenario = {
  name: 'dirty-rows',
  start(simulation) {
    const rows = simulation.random.pick(ROWS)
    const desk: Desk = {
      words: new Int32Array(new SharedArrayBuffer(16)),
      bits: simulation.core.DirtyBits.allocate(rows),
      rows,
      added: new Map(),
      taken: new Map(),
      isOver: false,
    }
    simulation.thread('dispatch', add(simulation, desk))
    simulation.thread('network', take(simulation, desk))
    return () => {
      for (const [row, count] of desk.added) {
        simulation.expect(desk.taken.get(row) === count, `row ${row} was not taken`)
      }
    }
  },
}

function* add({ core, random }: Simulation, desk: Desk): Steps<void> {
  const bits = new core.DirtyBits(desk.bits, desk.rows)
  const signal = new core.Signal(desk.words, 0)
  // Few rows, so that some are added again while they are taken.
  const rows = [0, 1, 31, 32, desk.rows - 1]
  for (let nth = 0; nth < ADDS; nth++) {
    const row = random.pick(rows)
    desk.added.set(row, (desk.added.get(row) ?? 0) + 1)
    yield* step(bits.add(row))
    yield* step(signal.wake())
  }
  desk.isOver = true
  yield* step(signal.wake())
}

function* take(simulation: Simulation, desk: Desk): Steps<void> {
  const { core } = simulation
  const bits = new core.DirtyBits(desk.bits, desk.rows)
  const turn = function* (): Steps<void> {
    const rows: number[] = []
    const count = yield* step(bits.take(rows))
    simulation.expect(count === rows.length, `it says ${count} for ${rows.length} rows`)
    for (const row of rows) {
      simulation.expect(desk.added.has(row), `row ${row} was never added`)
      desk.taken.set(row, desk.added.get(row)!)
    }
  }
  const ended: unknown = core.runOnLoop(
    turn,
    new core.Signal(desk.words, 0),
    () => desk.isOver && [...desk.added].every(([row, count]) => desk.taken.get(row) === count),
  )
  yield* step(ended)
}
