import type { Scenario, Simulation } from '../simulation.ts'
import { step, type Steps } from '../steps.ts'

const MOVES = 12
const READERS = 2
const READS = 8

/** One moves a position across several multiples of 4 GiB; readers get values that it had. */
export const positions: Scenario = {
  name: 'positions',
  start(simulation) {
    const { random, core } = simulation
    const words = new Int32Array(new SharedArrayBuffer(core.POSITION_WORDS * 4))
    const values = [0]
    let value = 2 ** 32 * random.below(3) - random.below(3)
    for (let nth = 0; nth < MOVES; nth++) {
      value = Math.max(0, value) + 1 + random.below(random.pick([3, 1000, 2 ** 31, 3 * 2 ** 32]))
      values.push(value)
    }
    simulation.thread('mover', move(simulation, words, values))
    for (let nth = 0; nth < READERS; nth++) {
      simulation.thread(`reader ${nth}`, read(simulation, words, values))
    }
    return () => {}
  },
}

function* move({ core }: Simulation, words: Int32Array, values: readonly number[]): Steps<void> {
  const position = new core.SharedPosition(words, 0)
  for (const value of values.slice(1)) yield* step(position.publish(value))
}

function* read(simulation: Simulation, words: Int32Array, values: readonly number[]): Steps<void> {
  const position = new simulation.core.SharedPosition(words, 0)
  let last = 0
  for (let nth = 0; nth < READS; nth++) {
    const value = yield* step(position.value())
    simulation.expect(values.includes(value), `${value} was never published`)
    simulation.expect(value >= last, `${value} after ${last}`)
    last = value
  }
}
