import type { RunningBroker } from '../lab/broker.ts'
import { IN_FLIGHT, outcomeOf, runLoad, type Outcome, type Pace } from './regime.ts'

const TOPIC = 'bench_backlog'

/** Fills a topic with batches, the quickest way, then consumes every message once as fast as it goes. */
export async function runBacklog(broker: RunningBroker, pace: Pace): Promise<Outcome> {
  const batches = ['--batch', '32', '--in-flight', `${IN_FLIGHT}`, '--count', `${pace.backlog}`]
  const filled = outcomeOf('backlog', await runLoad(broker, TOPIC, pace.queues, batches))
  const pulls = ['--mode', 'pull', '--warmup', `${pace.warmup}`]
  const read = outcomeOf('backlog', await runLoad(broker, TOPIC, pace.queues, pulls))
  if (read.messages >= filled.messages) return read
  throw new Error(`backlog: ${filled.messages} messages sent, ${read.messages} consumed`)
}
