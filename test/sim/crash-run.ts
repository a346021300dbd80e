/**
 * Crashes simulated stores for as long as it takes, and adds what it has seen to a file.
 *
 *    node test/sim/crash-run.ts --crashes 1000000 [--from SEED] [--out FILE]
 *
 * Stops at the first violation, with the seed that replays it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine, type MachineDescription } from '../../bench/lab/machine.ts'
import { describeFailure } from './explore.ts'
import { exploreStore } from './store/explore-store.ts'
import { loadStore } from './store/store-scale.ts'

interface Piece {
  machine: MachineDescription
  firstSeed: number
  lastSeed: number
  crashes: number
  steps: number
  seconds: number
  violations: number
}

const SEEDS_AT_ONCE = 2000
const { values } = parseArgs({
  options: {
    crashes: { type: 'string', default: '1000000' },
    from: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    out: {
      type: 'string',
      default: fileURLToPath(new URL('../../bench/results/sim-crashes.json', import.meta.url)),
    },
  },
})

const from = Number(values.from)
const startedAt = performance.now()
const stepped = loadStore()
const machine = describeMachine()
const sums = { crashes: 0, steps: 0, seconds: 0, violations: 0 }
const piece: Piece = { machine, firstSeed: from, lastSeed: from - 1, ...sums }
const earlier = existsSync(values.out) ? piecesOf(readFileSync(values.out, 'utf8')) : []

while (piece.crashes < Number(values.crashes) && piece.violations === 0) {
  const range = { from: piece.lastSeed + 1, count: SEEDS_AT_ONCE }
  const { runs, crashes, steps, failure } = exploreStore(stepped, range)
  piece.lastSeed += runs
  piece.crashes += crashes
  piece.steps += steps
  piece.seconds = Math.round((performance.now() - startedAt) / 1000)
  if (failure !== null) {
    piece.violations++
    console.error(describeFailure(failure))
    process.exitCode = 1
  }
  keep([...earlier, piece])
}
console.log(`${piece.crashes} crashes, ${piece.violations} violations, ${piece.seconds} s`)

function piecesOf(text: string): Piece[] {
  return (JSON.parse(text) as { pieces: Piece[] }).pieces
}

function keep(pieces: readonly Piece[]): void {
  const sum = (key: 'crashes' | 'steps' | 'seconds' | 'violations'): number =>
    pieces.reduce((total, each) => total + each[key], 0)
  const content = {
    question: 'does a store break a promise, however often it is killed or loses its power?',
    crashes: sum('crashes'),
    violations: sum('violations'),
    seconds: sum('seconds'),
    crashesPerMinute: Math.round((60 * sum('crashes')) / Math.max(1, sum('seconds'))),
    steps: sum('steps'),
    pieces,
  }
  writeFileSync(values.out, `${JSON.stringify(content, null, 2)}\n`)
}
