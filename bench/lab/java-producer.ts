import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { javaCommand } from '../../scripts/apache.ts'
import { startServer, type ServerProcess } from './server-process.ts'

const PRODUCER = 'org.apache.rocketmq.example.benchmark.Producer'

/** One line of Apache's benchmark Producer. TPS and average RT cover its last ten seconds. */
export interface ProducerLine {
  tps: number
  /** Since the start, with the connection and the JVM's first seconds in it. */
  maxMs: number
  avgMs: number
  sendFailed: number
  responseFailed: number
}

const LINE =
  /Send TPS: (\d+) \| Max RT\(ms\): (\d+) \| Average RT\(ms\):\s*([\d.]+) \| Send Failed: (\d+) \| Response Failed: (\d+)/

/** Undefined for a line that is no report. */
export function parseProducerLine(line: string): ProducerLine | undefined {
  const found = LINE.exec(line)
  if (!found) return undefined
  const [tps, maxMs, avgMs, sendFailed, responseFailed] = found.slice(1).map(Number)
  return {
    tps: tps!,
    maxMs: maxMs!,
    avgMs: avgMs!,
    sendFailed: sendFailed!,
    responseFailed: responseFailed!,
  }
}

export interface ProducerOptions {
  namesrvPort: number
  topic: string
  threads: number
  bodySize: number
  directory: string
}

export interface RunningProducer extends ServerProcess {
  /** Every report line so far, one a second. */
  lines(): ProducerLine[]
}

/**
 * Starts Apache's own benchmark Producer, which sends SEND_MESSAGE_V2 with binary headers over one
 * connection, and returns when it prints its first line: ten seconds later at the earliest.
 */
export async function startProducer(options: ProducerOptions): Promise<RunningProducer> {
  const { namesrvPort, topic, threads, bodySize, directory } = options
  const namesrv = `127.0.0.1:${namesrvPort}`
  const args = ['-n', namesrv, '-t', topic, '-w', `${threads}`, '-s', `${bodySize}`, '-ri', '1000']
  const java = { directory, heap: ['-Xms512m', '-Xmx512m'], namesrv }
  const logFile = join(directory, 'producer.log')
  const server = await startServer(javaCommand(PRODUCER, args, java), logFile, 'Send TPS')
  return { ...server, lines: () => parseProducerLog(readFileSync(logFile, 'utf8')) }
}

function parseProducerLog(text: string): ProducerLine[] {
  return text.split('\n').flatMap((line) => parseProducerLine(line) ?? [])
}
