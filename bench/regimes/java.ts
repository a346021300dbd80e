import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningBroker } from '../lab/broker.ts'
import { startProducer, type ProducerLine, type RunningProducer } from '../lab/java-producer.ts'
import { createTopic, storedCount, withControl } from '../load/control.ts'
import { IN_FLIGHT, MESSAGE_SIZE, openWindow, type Outcome, type Pace } from './regime.ts'

const TOPIC = 'bench_java'
/** Snapshots that Apache's Producer averages over: earlier lines reach back before the window. */
const PRODUCER_WINDOW = 10

/**
 * Apache's own benchmark Producer. Messages are counted in the broker's queues over the whole window;
 * what the tool itself printed goes to `detail`.
 */
export async function runJavaProducer(broker: RunningBroker, pace: Pace): Promise<Outcome> {
  const { namesrvPort, directory } = broker
  const shape = { topic: TOPIC, threads: IN_FLIGHT, bodySize: MESSAGE_SIZE }
  await withControl(addressOf(broker), (control) => createTopic(control, TOPIC, pace.queues))
  const producer = await startProducer({ namesrvPort, directory, ...shape })
  try {
    await sleep(pace.warmup * 1000)
    return await measureProducer(broker, producer, pace)
  } finally {
    await producer.stop()
  }
}

async function measureProducer(
  broker: RunningBroker,
  producer: RunningProducer,
  { measure, queues }: Pace,
): Promise<Outcome> {
  const count = (): Promise<number> =>
    withControl(addressOf(broker), (control) => storedCount(control, TOPIC, queues))
  const linesBefore = producer.lines().length
  const before = await count()
  const window = openWindow(broker.pid, producer.pid)
  await sleep(measure * 1000)
  const usage = window.close()
  const messages = (await count()) - before
  const detail = summarizeLines(producer.lines().slice(linesBefore))
  const messagesPerSecond = messages / usage.broker.seconds
  const { failures } = detail
  return { regime: 'java', messagesPerSecond, messages, times: null, failures, ...usage, detail }
}

function addressOf({ port }: RunningBroker): string {
  return `127.0.0.1:${port}`
}

/** Means of the lines that reach back to nothing before the window; of all when it is too short for one. */
export function summarizeLines(lines: ProducerLine[]): {
  tps: number
  avgMs: number
  failures: number
} {
  const inside = lines.length > PRODUCER_WINDOW ? lines.slice(PRODUCER_WINDOW) : lines
  const mean = (read: (line: ProducerLine) => number): number =>
    inside.reduce((sum, line) => sum + read(line), 0) / inside.length
  const failed = (line: ProducerLine | undefined): number =>
    line ? line.sendFailed + line.responseFailed : 0
  const failures = failed(lines.at(-1)) - failed(lines[0])
  return { tps: mean(({ tps }) => tps), avgMs: mean(({ avgMs }) => avgMs), failures }
}
