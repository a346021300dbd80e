import { parseArgs } from 'node:util'
import { SLOTS_MAX } from './send-frames.ts'
import type { HeaderFormat } from './wire.ts'

export type LoadMode = 'closed' | 'open' | 'pull' | 'pop' | 'transaction'

/** One run of the generator. Times in seconds, `rate` in requests per second. */
export interface LoadOptions {
  mode: LoadMode
  broker: string | undefined
  namesrv: string
  topic: string
  queues: number
  /** False: the topic is there already, or the server knows none (the null server). */
  create: boolean
  format: HeaderFormat
  size: number
  batch: number
  inFlight: number
  connections: number
  rate: number
  pullMax: number
  /** Messages to send; Infinity: as many as `duration` allows. */
  count: number
  warmup: number
  duration: number
  /** Process whose use of the machine is measured over the same window. */
  pid: number | undefined
}

export const LOAD_USAGE = `node bench/load.ts [options]
  --mode closed|open|pull|pop|transaction
                            closed: each reply causes the next request (default); open: at --rate,
                            response times from the intended time; pull: consume the topic's backlog;
                            pop: the same by POP, each message acknowledged by itself;
                            transaction: a half message, then its commit, both answered
  --broker HOST:PORT        or --namesrv HOST:PORT (127.0.0.1:9876), which is asked for the broker
  --topic NAME --queues N   created with N queues (bench, 16); --no-create leaves it as it is
  --header binary|json      (binary)    --size BYTES (128)    --batch K messages a request (1)
  --in-flight N (64)        open: the cap (1024); pull, pop: so many at a time (16)
  --connections N (1)       --rate R requests a second    --pull-max M messages a pull or pop (32)
  --warmup S (2)            --duration S (10)    --count MESSAGES instead of a duration
  --pid PID                 measure the processor time of that process too
  --json                    print the report as one line of JSON`

const SPEC = {
  mode: { type: 'string', default: 'closed' },
  broker: { type: 'string' },
  namesrv: { type: 'string', default: '127.0.0.1:9876' },
  topic: { type: 'string', default: 'bench' },
  queues: { type: 'string', default: '16' },
  'no-create': { type: 'boolean', default: false },
  header: { type: 'string', default: 'binary' },
  size: { type: 'string', default: '128' },
  batch: { type: 'string', default: '1' },
  'in-flight': { type: 'string' },
  connections: { type: 'string', default: '1' },
  rate: { type: 'string', default: '10000' },
  'pull-max': { type: 'string', default: '32' },
  count: { type: 'string', default: 'Infinity' },
  warmup: { type: 'string', default: '2' },
  duration: { type: 'string', default: '10' },
  pid: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

const IN_FLIGHT: Record<LoadMode, string> = {
  closed: '64',
  open: '1024',
  pull: '16',
  pop: '16',
  transaction: '64',
}

/** Throws with the option, its value and what is allowed. */
export function parseLoadOptions(args: string[]): LoadOptions & { json: boolean; help: boolean } {
  const { values } = parseArgs({ args, options: SPEC, strict: true })
  const mode = oneOf('mode', values.mode, ['closed', 'open', 'pull', 'pop', 'transaction'])
  const count = positive('count', values.count)
  return {
    mode,
    broker: values.broker,
    namesrv: values.namesrv,
    topic: values.topic,
    queues: integer('queues', values.queues, 1024),
    create: !values['no-create'],
    format: oneOf('header', values.header, ['json', 'binary']),
    size: integer('size', values.size, 2 ** 24),
    batch: integer('batch', values.batch, 10_000),
    inFlight: integer('in-flight', values['in-flight'] ?? IN_FLIGHT[mode], SLOTS_MAX),
    connections: integer('connections', values.connections, 10_000),
    rate: positive('rate', values.rate),
    pullMax: integer('pull-max', values['pull-max'], 2 ** 20),
    count,
    warmup: count === Infinity ? zeroOrMore('warmup', values.warmup) : 0,
    duration: count === Infinity ? positive('duration', values.duration) : Infinity,
    pid: values.pid === undefined ? undefined : integer('pid', values.pid, 2 ** 22),
    json: values.json,
    help: values.help,
  }
}

function oneOf<T extends string>(name: string, value: string, allowed: T[]): T {
  const found = allowed.find((word) => word === value)
  if (found) return found
  throw new Error(`--${name} ${value}: must be ${allowed.join(', ')}`)
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (value > 0) return value
  throw new Error(`--${name} ${text}: must be a number above 0`)
}

function zeroOrMore(name: string, text: string): number {
  return Number(text) === 0 ? 0 : positive(name, text)
}

function integer(name: string, text: string, max: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0 && value <= max) return value
  throw new Error(`--${name} ${text}: must be a whole number from 1 to ${max}`)
}
