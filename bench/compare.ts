/**
 * Is RingMQ faster than Apache RocketMQ, and by how much? The same load goes to both, one directly after
 * the other, in ABBA pairs; a ratio is taken inside each pair, and their median with lowest and highest is
 * what is printed. `--sides ringmq,ringmq` shows how far two equal brokers differ on this machine: less
 * than that may not be claimed.
 */
import { parseArgs } from 'node:util'
import { takeBenchLock } from './lab/bench-lock.ts'
import { endOnSignals } from './lab/signals.ts'
import type { BrokerSide } from './lab/broker.ts'
import { comparePairs, comparisonTable, type Pair } from './report/comparison.ts'
import { outcomeTable } from './report/outcome-table.ts'
import type { Outcome } from './regimes/regime.ts'
import { saveResults } from './results.ts'
import { progress, runSession, type SessionOptions } from './session.ts'
import { parseSides, SESSION_SPEC, SESSION_USAGE, sessionOptions } from './session-options.ts'

const USAGE = `npm run bench:compare -- [options]
  --sides A,B               reference and subject: apache, ringmq or ringmq:FOLDER (apache,ringmq)
  --pairs N (3)             7 for a headline
${SESSION_USAGE}`

const SPEC = {
  ...SESSION_SPEC,
  sides: { type: 'string', default: 'apache,ringmq' },
  pairs: { type: 'string', default: '3' },
} as const

const { values } = parseArgs({ options: SPEC, strict: true })
if (values.help) console.log(USAGE)
else await main()

async function main(): Promise<void> {
  const options = sessionOptions(values)
  const sides = parseSides(values.sides)
  endOnSignals()
  process.once('exit', takeBenchLock())
  const pairs = await measurePairs(sides, Number(values.pairs), options)
  const figures = comparePairs(pairs)
  const labels: [string, string] = [sides[0].label, sides[1].label]
  console.log(comparisonTable(figures, labels))
  const name = values.name ?? sides.map(({ kind }) => kind).join('-')
  console.log(`\nkept in ${saveResults(name, options, { labels, figures, pairs })}`)
}

/** AB BA AB …: a machine that gets slower by the minute then favours neither side. */
async function measurePairs(
  sides: [BrokerSide, BrokerSide],
  count: number,
  options: SessionOptions,
): Promise<Pair[]> {
  const pairs: Pair[] = []
  for (let i = 0; i < count; i++) {
    progress(`pair ${i + 1} of ${count}`)
    pairs.push(await measurePair(sides, i % 2 === 1, options))
  }
  return pairs
}

async function measurePair(
  [reference, subject]: [BrokerSide, BrokerSide],
  reversed: boolean,
  options: SessionOptions,
): Promise<Pair> {
  const early = await measureSide(reversed ? subject : reference, options)
  const later = await measureSide(reversed ? reference : subject, options)
  return reversed ? { reference: later, subject: early } : { reference: early, subject: later }
}

async function measureSide(side: BrokerSide, options: SessionOptions): Promise<Outcome[]> {
  const outcomes = await runSession(side, options)
  console.error(`${side.label}\n${outcomeTable(outcomes)}\n`)
  return outcomes
}
