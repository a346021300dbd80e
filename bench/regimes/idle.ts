import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningBroker } from '../lab/broker.ts'
import { openWindow, type Outcome, type Pace } from './regime.ts'

/** Nobody asks anything: what remains is the broker's own housekeeping. */
export async function runIdle({ pid }: RunningBroker, { measure, warmup }: Pace): Promise<Outcome> {
  await sleep(warmup * 1000)
  const window = openWindow(pid, null)
  await sleep(measure * 1000)
  const nothing = { messagesPerSecond: null, messages: 0, times: null, failures: 0, detail: null }
  return { regime: 'idle', ...nothing, ...window.close() }
}
