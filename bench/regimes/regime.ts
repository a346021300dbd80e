import type { RunningBroker } from '../lab/broker.ts'
import { runLoadProcess } from '../lab/load-process.ts'
import { noiseBetween, sampleMachine, type MachineNoise } from '../lab/machine.ts'
import { sampleProcess, usageBetween, type ProcessUsage } from '../lab/process-usage.ts'
import type { LoadReport } from '../load/run-load.ts'
import type { Times } from '../report/summary.ts'

/** How long and how much. Seconds; `rate` in messages a second; `backlog` in messages. */
export interface Pace {
  /** Of each regime; the broker's own comes before. */
  warmup: number
  measure: number
  rate: number
  backlog: number
  queues: number
}

/** What one regime found on one broker. */
export interface Outcome {
  regime: string
  /** Null where no messages flow. */
  messagesPerSecond: number | null
  messages: number
  /** In microseconds; null where the tool gives no percentiles. */
  times: Times | null
  failures: number
  broker: ProcessUsage
  clientSeconds: number
  noise: MachineNoise
  /** The whole report of the tool that made the load. */
  detail: unknown
}

/** One question that a measurement answers. */
export interface Regime {
  name: string
  question: string
  run(broker: RunningBroker, pace: Pace): Promise<Outcome>
}

/** Bytes of a body and requests at a time, as Apache's own benchmark has them. */
export const MESSAGE_SIZE = 128
export const IN_FLIGHT = 64

/** Runs the generator against `broker`; `args` as for bench/load.ts. */
export async function runLoad(
  { namesrvPort, pid }: RunningBroker,
  topic: string,
  queues: number,
  args: string[],
): Promise<LoadReport> {
  const place = ['--namesrv', `127.0.0.1:${namesrvPort}`, '--topic', topic]
  const fixed = ['--queues', `${queues}`, '--size', `${MESSAGE_SIZE}`, '--pid', `${pid}`]
  return await runLoadProcess([...place, ...fixed, ...args])
}

/** Messages that were acknowledged and are in no queue make the figures worthless: throws. */
export function outcomeOf(regime: string, report: LoadReport): Outcome {
  const { acknowledged = 0, stored = acknowledged, unanswered, failures } = report
  if (stored < acknowledged) {
    throw new Error(`${regime}: ${acknowledged} messages acknowledged, ${stored} stored`)
  }
  return {
    regime,
    messagesPerSecond: report.messagesPerSecond,
    messages: report.messages,
    times: report.times,
    failures: unanswered + failures.reduce((sum, { count }) => sum + count, 0),
    broker: report.broker!,
    clientSeconds: report.generator.cpuSeconds,
    noise: report.noise,
    detail: report,
  }
}

export type WindowUsage = Pick<Outcome, 'broker' | 'clientSeconds' | 'noise'>

/** Measures broker and client from now until `close`, for tools that do not do it themselves. */
export function openWindow(brokerPid: number, clientPid: number | null): { close(): WindowUsage } {
  const machine = sampleMachine()
  const broker = sampleProcess(brokerPid)
  const client = clientPid === null ? null : sampleProcess(clientPid)
  const close = (): WindowUsage => {
    const used = usageBetween(broker, sampleProcess(brokerPid))
    const clientSeconds = client ? usageBetween(client, sampleProcess(clientPid!)).cpuSeconds : 0
    const noise = noiseBetween(machine, sampleMachine(), used.cpuSeconds + clientSeconds)
    return { broker: used, clientSeconds, noise }
  }
  return { close }
}
