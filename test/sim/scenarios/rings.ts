import type { ByteRing } from '../../../src/ring/byte-ring.ts'
import type { Signal } from '../../../src/ring/signal.ts'
import type { Scenario, Simulation } from '../simulation.ts'
import { step, type Steps } from '../steps.ts'

const CAPACITY = 1024
const RECORDS = 40
const SIGNAL_WORDS = 4
/** Where ByteRing keeps its positions. */
const HEAD = 0
const TAIL = 16

interface Desk {
  signals: Int32Array
  memory: SharedArrayBuffer
  lengths: number[]
}

/** Everything that goes in comes out once, in order and whole; who found it full is told of room. */
export const rings: Scenario = {
  name: 'rings',
  start(simulation) {
    const { core, random } = simulation
    const memory = core.ByteRing.allocate(CAPACITY)
    const { payloadMax } = new core.ByteRing(memory)
    const lengthMax = random.pick([8, payloadMax])
    const desk: Desk = {
      signals: new Int32Array(new SharedArrayBuffer(2 * SIGNAL_WORDS * 4)),
      memory,
      lengths: Array.from({ length: RECORDS }, () => random.below(lengthMax + 1)),
    }
    if (random.oneIn(2)) startNearWrap(new Int32Array(memory))
    simulation.thread('producer', produce(simulation, desk))
    simulation.thread('consumer', consume(simulation, desk))
    return () => {}
  },
}

/** Positions, which are 32 bits, go round after a few records. */
function startNearWrap(words: Int32Array): void {
  words[HEAD] = -512
  words[TAIL] = -512
}

function* produce({ core }: Simulation, desk: Desk): Steps<void> {
  const ring = new core.ByteRing(desk.memory)
  const [mine, theirs] = signalsOf(core, desk)
  for (const [nth, length] of desk.lengths.entries()) {
    const payload = new Uint8Array(length).fill(nth + 1)
    yield* offer(ring, mine, { type: nth, first: -nth, second: nth * 2, payload })
    yield* step(theirs.wake())
  }
}

function* offer(
  ring: ByteRing,
  signal: Signal,
  record: Parameters<ByteRing['offer']>[0],
): Steps<void> {
  for (;;) {
    const seen = yield* step(signal.seen())
    if (yield* step(ring.offer(record))) return
    yield* step(signal.sleep(seen, Infinity))
  }
}

function* consume(simulation: Simulation, desk: Desk): Steps<void> {
  const { core, random } = simulation
  const ring = new core.ByteRing(desk.memory)
  const [theirs, mine] = signalsOf(core, desk)
  let next = 0
  const each = (type: number, first: number, second: number, payload: Buffer): void => {
    const isInOrder = type === next && first === -next && second === next * 2
    simulation.expect(isInOrder, `record ${type}, ${first}, ${second} instead of ${next}`)
    const isWhole = payload.length === desk.lengths[next] && payload.every((b) => b === next + 1)
    simulation.expect(isWhole, `record ${next} has the wrong payload`)
    next++
  }
  const turn = function* (): Steps<void> {
    while ((yield* step(ring.drain(1 + random.below(8), each))) > 0) {
      if (yield* step(ring.takeWanted())) yield* step(theirs.wake())
    }
  }
  const ended: unknown = core.runOnLoop(turn, mine, () => next === RECORDS)
  yield* step(ended)
}

/** The producer's, then the consumer's. */
function signalsOf(core: Simulation['core'], { signals }: Desk): [Signal, Signal] {
  return [new core.Signal(signals, 0), new core.Signal(signals, SIGNAL_WORDS)]
}
