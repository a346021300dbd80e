import { homedir, tmpdir } from 'node:os'
import type { ParseArgsOptionsConfig } from 'node:util'
import { parseSide, type BrokerSide } from './lab/broker.ts'
import { REGIMES, regimesNamed } from './regimes.ts'
import type { SessionOptions } from './session.ts'

/** Options that every measuring command has. Seconds, unless they say otherwise. */
export const SESSION_SPEC = {
  regimes: { type: 'string' },
  warmup: { type: 'string', default: '30' },
  'regime-warmup': { type: 'string', default: '3' },
  measure: { type: 'string', default: '20' },
  rest: { type: 'string', default: '3' },
  rate: { type: 'string', default: '10000' },
  backlog: { type: 'string', default: '1000000' },
  queues: { type: 'string', default: '16' },
  fresh: { type: 'boolean', default: false },
  set: { type: 'string', multiple: true, default: [] as string[] },
  heap: { type: 'string', default: '1g' },
  port: { type: 'string', default: '30911' },
  'namesrv-port': { type: 'string', default: '39876' },
  directory: { type: 'string', default: tmpdir() },
  name: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const satisfies ParseArgsOptionsConfig

export const SESSION_USAGE = `  --regimes A,B             of ${REGIMES.map(({ name }) => name).join(', ')} (all)
  --warmup S (30)           sending before the first regime; --regime-warmup S (3) before each
  --measure S (20)          each regime; --rest S (3) after a broker has stopped
  --rate N (10000)          messages a second of the regime 'open'
  --backlog N (1000000)     messages of the regime 'backlog'
  --queues N (16)           queues of each topic
  --fresh                   a new broker and store for each regime
  --set key=value           broker setting, may be repeated: --set flushDiskType=SYNC_FLUSH
  --heap SIZE (1g)          heap of Apache's broker
  --port P (30911) --namesrv-port P (39876) --directory DIR for the stores
  --name NAME               in the file name of the results`

interface Values {
  regimes?: string
  warmup: string
  'regime-warmup': string
  measure: string
  rest: string
  rate: string
  backlog: string
  queues: string
  fresh: boolean
  set: string[]
  heap: string
  port: string
  'namesrv-port': string
  directory: string
}

/** Throws when a number is none or a regime is unknown. */
export function sessionOptions(values: Values): SessionOptions {
  const number = (name: keyof Values): number => toNumber(name, String(values[name]))
  const all = REGIMES.map(({ name }) => name)
  return {
    regimes: regimesNamed(values.regimes?.split(',') ?? all),
    pace: {
      warmup: number('regime-warmup'),
      measure: number('measure'),
      rate: number('rate'),
      backlog: number('backlog'),
      queues: number('queues'),
    },
    warmup: number('warmup'),
    rest: number('rest'),
    fresh: values.fresh,
    directory: values.directory.replace(/^~/, homedir()),
    port: number('port'),
    namesrvPort: number('namesrv-port'),
    settings: Object.fromEntries(values.set.map(toSetting)),
    heap: [`-Xms${values.heap}`, `-Xmx${values.heap}`, `-XX:MaxDirectMemorySize=${values.heap}`],
  }
}

function toNumber(name: string, text: string): number {
  const value = Number(text)
  if (text !== '' && value >= 0) return value
  throw new Error(`--${name} ${text}: must be a number, not below 0`)
}

function toSetting(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at <= 0) throw new Error(`--set ${text}: must be key=value`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** `apache,ringmq`: two sides, the reference first. */
export function parseSides(text: string): [BrokerSide, BrokerSide] {
  const [first, second, ...more] = text.split(',').map(parseSide)
  if (first && second && more.length === 0) return [first, second]
  throw new Error(`--sides ${text}: must be two of apache, ringmq or ringmq:FOLDER`)
}
