import type { RunningBroker } from './lab/broker.ts'
import { runBacklog } from './regimes/backlog.ts'
import { runIdle } from './regimes/idle.ts'
import { runJavaProducer } from './regimes/java.ts'
import { runPop } from './regimes/pop.ts'
import { outcomeOf, runLoad, type Outcome, type Pace, type Regime } from './regimes/regime.ts'

/** In the order in which they run; the backlog is the last to write much, idle comes after all. */
export const REGIMES: Regime[] = [
  sends('send', 'sends of 128 B, 64 in flight, binary headers', () => ['--header', 'binary']),
  sends('send-json', 'the same with JSON headers, as most applications send', () => [
    '--header',
    'json',
  ]),
  sends('one', 'one send in flight: the bare response time', () => ['--in-flight', '1']),
  sends('batch', 'batches of 16, 64 in flight', () => ['--batch', '16']),
  sends('open', 'a fixed rate, from the intended time', openLoop),
  sends('transaction', 'half messages of 128 B and their commits, 64 in flight', () => [
    '--mode',
    'transaction',
  ]),
  { name: 'java', question: "Apache's own benchmark Producer, 64 threads", run: runJavaProducer },
  { name: 'backlog', question: 'consuming a backlog, 32 messages a pull', run: runBacklog },
  {
    name: 'pop',
    question: 'consuming by POP, 32 messages a pop, each acknowledged by itself',
    run: runPop,
  },
  { name: 'idle', question: 'nobody asks anything', run: runIdle },
]

function openLoop({ rate }: Pace): string[] {
  return ['--mode', 'open', '--rate', String(rate)]
}

function sends(name: string, question: string, args: (pace: Pace) => string[]): Regime {
  const run = async (broker: RunningBroker, pace: Pace): Promise<Outcome> => {
    const times = ['--warmup', String(pace.warmup), '--duration', String(pace.measure)]
    const report = await runLoad(broker, `bench_${name}`, pace.queues, [...times, ...args(pace)])
    return outcomeOf(name, report)
  }
  return { name, question, run }
}

/** Throws with the names there are. */
export function regimesNamed(names: string[]): Regime[] {
  const unknown = names.find((name) => !REGIMES.some((regime) => regime.name === name))
  const known = REGIMES.map(({ name }) => name).join(', ')
  if (unknown !== undefined) throw new Error(`no regime ${unknown}: there are ${known}`)
  return REGIMES.filter(({ name }) => names.includes(name))
}

/** Sends for `seconds` and forgets the result: Java compiles its hot paths while it is asked. */
export async function warmUp(
  broker: RunningBroker,
  seconds: number,
  queues: number,
): Promise<void> {
  if (seconds <= 0) return
  const times = ['--warmup', '0', '--duration', String(seconds)]
  await runLoad(broker, 'bench_warmup', queues, times)
}
