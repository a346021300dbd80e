import type { RunningBroker } from '../lab/broker.ts'
import { IN_FLIGHT, outcomeOf, runLoad, type Outcome, type Pace } from './regime.ts'

const TOPIC = 'bench_pop'
/** Of the backlog: an Apache broker takes a minute for a million. */
const SHARE = 1 / 10

/** Fills a topic with batches, then consumes it by POP, 32 messages at a time and each acknowledged by itself. */
export async function runPop(broker: RunningBroker, pace: Pace): Promise<Outcome> {
  const count = Math.ceil(pace.backlog * SHARE)
  const batches = ['--batch', '32', '--in-flight', `${IN_FLIGHT}`, '--count', `${count}`]
  const filled = outcomeOf('pop', await runLoad(broker, TOPIC, pace.queues, batches))
  const pops = ['--mode', 'pop', '--header', 'json', '--warmup', '0', '--in-flight', '16']
  const read = outcomeOf('pop', await runLoad(broker, TOPIC, pace.queues, pops))
  if (read.messages >= filled.messages) return read
  throw new Error(`pop: ${filled.messages} messages sent, ${read.messages} consumed`)
}
