/**
 * How fast is the broker, and what does it cost? Starts a name server and a broker with an empty store,
 * warms them up, runs the regimes one after the other and prints a table. For a comparison that can be
 * trusted on a noisy machine use bench/compare.ts.
 */
import { parseArgs } from 'node:util'
import { takeBenchLock } from './lab/bench-lock.ts'
import { parseSide } from './lab/broker.ts'
import { endOnSignals } from './lab/signals.ts'
import { outcomeTable } from './report/outcome-table.ts'
import { REGIMES } from './regimes.ts'
import { saveResults } from './results.ts'
import { runSession } from './session.ts'
import { SESSION_SPEC, SESSION_USAGE, sessionOptions } from './session-options.ts'

const USAGE = `npm run bench -- [options]
  --broker ringmq|apache    or ringmq:FOLDER, another checkout (ringmq)
${SESSION_USAGE}

Here the warm-up is 5 s by default, and the regime 'java', which needs java and mvn, must be asked for.`

/** All that need nothing but Node. */
const WITHOUT_JAVA = REGIMES.map(({ name }) => name).filter((name) => name !== 'java')

const SPEC = {
  ...SESSION_SPEC,
  regimes: { type: 'string', default: WITHOUT_JAVA.join(',') },
  broker: { type: 'string', default: 'ringmq' },
  warmup: { type: 'string', default: '5' },
} as const

const { values } = parseArgs({ options: SPEC, strict: true })
if (values.help) console.log(USAGE)
else await main()

async function main(): Promise<void> {
  const options = sessionOptions(values)
  const side = parseSide(values.broker)
  endOnSignals()
  process.once('exit', takeBenchLock())
  const outcomes = await runSession(side, options)
  console.log(outcomeTable(outcomes))
  console.log(`\nkept in ${saveResults(values.name ?? side.kind, options, outcomes)}`)
}
