/**
 * Eight producers, consumers and orderly consumers, one of each leaving and another joining every second, while
 * the broker is killed every ten seconds: what is acknowledged is consumed, and in order where that is promised.
 *
 *    node test/faults/churn.ts [--seconds 120] [--seed N] [--out FILE]
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runChurn } from '../support/churn/churn-run.ts'
import { FaultRecord } from './fault-record.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    out: {
      type: 'string',
      default: fileURLToPath(new URL('../../bench/results/churn.json', import.meta.url)),
    },
  },
})
const question =
  'is every acknowledged message consumed, and in order, while members and brokers come and go?'
const record = new FaultRecord(values.out, question)
const options = {
  seed: Number(values.seed),
  seconds: Number(values.seconds),
  killMs: 10_000,
  changeMs: 1000,
  members: 8,
  pauseMs: 20,
}
const outcome = await runChurn(options)
record.write({ options, ...outcome })
const { kills, changes, shared, ordered, faults } = outcome
const texts = [`${kills} kills, ${changes} changes`, JSON.stringify({ shared, ordered, faults })]
record.say(
  `churn: ${texts.join(', ')}`,
  Object.values(faults).reduce((sum, count) => sum + count, 0),
)
