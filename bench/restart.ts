/**
 * How long is a broker away? Fills a store, then stops and starts it again: after a clean stop, when its consume
 * queues are lost, and after kill -9 under load. At last ringmq fsck checks it. Prints milliseconds from exec to
 * `boot success`, and of the recovery alone with threads and without; writes bench/results/restart.json.
 *
 *   node bench/restart.ts [--messages 10000000] [--size 128] [--directory DIR]
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { takeBenchLock } from './lab/bench-lock.ts'
import { describeMachine } from './lab/machine.ts'
import { sampleProcess } from './lab/process-usage.ts'

const ROOT = join(import.meta.dirname, '..')
const PORT = 30911
const TIMES = 5
/** Of each way to make lost queues anew, in turn: it takes longer. */
const ROUNDS = 3
/** They tell a start how the last run ended. */
const STOP_FILES = ['ringmq-clean-stop', 'checkpoint']
const BATCH = 32

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000000' },
    size: { type: 'string', default: '128' },
    directory: { type: 'string', default: tmpdir() },
  },
})

/** A busy machine takes its time: what a start costs of a processor says more then. */
interface Start {
  milliseconds: number
  cpuMs: number
}

interface Recovery extends Start {
  dispatched: number
  peakMiB: number
}

interface Running extends Start {
  child: ChildProcess
}

async function start(folder: string): Promise<Running> {
  const from = performance.now()
  const command = join(ROOT, 'bin/mqbroker')
  const child = spawn('sh', [command, '-c', join(folder, 'broker.conf')], { cwd: folder })
  child.stderr.on('data', (text) => process.stderr.write(text))
  const [line] = (await Promise.race([once(child.stdout, 'data'), once(child, 'close')])) as [
    unknown,
  ]
  const milliseconds = performance.now() - from
  if (!String(line).includes('boot success')) throw new Error(`no start: ${String(line)}`)
  const { userSeconds, systemSeconds } = sampleProcess(child.pid!)
  return { child, milliseconds, cpuMs: (userSeconds + systemSeconds) * 1000 }
}

async function end({ child }: Running, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal)
  await once(child, 'close')
}

/** Returns the process: it ends when so many are sent, or when the broker is gone. */
function send(count: number): ChildProcess {
  const options = { broker: `127.0.0.1:${PORT}`, count, size: values.size, batch: BATCH }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  return spawn(process.execPath, [join(ROOT, 'bench/load.ts'), ...args], { stdio: 'ignore' })
}

async function measure(folder: string): Promise<Record<string, unknown>> {
  const empty = await restarts(folder)
  let broker = await start(folder)
  await once(send(Number(values.messages)), 'close')
  await end(broker, 'SIGTERM')
  const clean = await restarts(folder)
  const lost = await lostQueues(folder)
  const killed: Start[] = []
  broker = await start(folder)
  for (let nth = 0; nth < TIMES; nth++) {
    const load = send(Number(values.messages))
    await new Promise((resolve) => setTimeout(resolve, 3000)) // under full load by then
    await end(broker, 'SIGKILL')
    load.kill()
    broker = await start(folder)
    killed.push(broker)
  }
  await end(broker, 'SIGTERM')
  const shown = { emptyStore: empty, afterCleanStop: clean, afterKill: killed }
  const starts = Object.entries(shown).map(([name, each]) => [name, figures(each)])
  return { ...Object.fromEntries(starts), consumeQueueLost: lost }
}

/** Of a store that was stopped cleanly: all of its log is read for them. */
async function lostQueues(folder: string): Promise<Record<string, unknown>> {
  const store = join(folder, 'store')
  const [alone, helped, starts]: [Recovery[], Recovery[], Start[]] = [[], [], []]
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of STOP_FILES) copyFileSync(join(store, name), join(folder, name))
    loseQueues(folder)
    alone.push(await recoverStore(store, ['--alone']))
    loseQueues(folder)
    helped.push(await recoverStore(store, []))
    loseQueues(folder)
    const broker = await start(folder)
    starts.push(broker)
    await end(broker, 'SIGTERM')
  }
  const ratios = alone.map((each, nth) => each.milliseconds / helped[nth]!.milliseconds)
  return {
    recoveryAlone: { ...figures(alone), peakMiB: alone.map(({ peakMiB }) => peakMiB) },
    recoveryWithThreads: { ...figures(helped), peakMiB: helped.map(({ peakMiB }) => peakMiB) },
    timesAsFast: ratios.map((ratio) => Math.round(ratio * 100) / 100),
    start: figures(starts),
  }
}

/** The store is as the clean stop has left it, but for its queues. */
function loseQueues(folder: string): void {
  const store = join(folder, 'store')
  rmSync(join(store, 'consumequeue'), { recursive: true })
  rmSync(join(store, 'abort'), { force: true })
  for (const name of STOP_FILES) copyFileSync(join(folder, name), join(store, name))
}

async function recoverStore(root: string, flags: string[]): Promise<Recovery> {
  const args = [join(ROOT, 'bench/lab/recover-store.ts'), '--root', root, ...flags]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (text) => (output += text))
  await once(child, 'close')
  const recovered = JSON.parse(output) as Recovery
  if (recovered.dispatched < Number(values.messages)) throw new Error(`not all: ${output}`)
  return recovered
}

/** Each after a clean stop. */
async function restarts(folder: string): Promise<Start[]> {
  const starts: Start[] = []
  for (let nth = 0; nth < TIMES; nth++) {
    const broker = await start(folder)
    starts.push(broker)
    await end(broker, 'SIGTERM')
  }
  return starts
}

function figures(starts: readonly Start[]): Record<string, number[]> {
  return {
    milliseconds: starts.map(({ milliseconds }) => Math.round(milliseconds)),
    cpuMs: starts.map(({ cpuMs }) => Math.round(cpuMs)),
  }
}

/** How long the check of that store takes, and what memory. */
async function check(folder: string): Promise<Record<string, unknown>> {
  const from = performance.now()
  const command = [join(ROOT, 'bin/ringmq'), 'fsck', join(folder, 'store'), '--json']
  const child = spawn('sh', command, { stdio: ['ignore', 'pipe', 'inherit'] })
  let [output, peakKiB] = ['', 0]
  child.stdout.on('data', (text) => (output += text))
  const timer = setInterval(() => {
    const peak = /VmHWM:\s+(\d+)/.exec(statusOf(child.pid!))?.[1]
    peakKiB = Math.max(peakKiB, Number(peak ?? 0))
  }, 200)
  const [exitCode] = (await once(child, 'close')) as [number]
  clearInterval(timer)
  const { messages, findingCount } = JSON.parse(output) as Record<string, number>
  const seconds = Math.round((performance.now() - from) / 1000)
  return { seconds, peakMiB: Math.round(peakKiB / 1024), exitCode, messages, findingCount }
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return '' // it has just ended
  }
}

function bytesOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  const sizes = files
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).blocks * 512)
  return sizes.reduce((sum, size) => sum + size, 0)
}

const release = takeBenchLock()
const folder = mkdtempSync(join(values.directory, 'ringmq-restart-'))
try {
  mkdirSync(join(folder, 'store'))
  const settings = { bindAddress: '127.0.0.1', brokerIP1: '127.0.0.1', listenPort: PORT }
  const paths = { storePathRootDir: join(folder, 'store'), autoCreateTopicEnable: true }
  const lines = Object.entries({ ...settings, ...paths }).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(join(folder, 'broker.conf'), lines.join(''))
  const machine = describeMachine()
  const results = { ...(await measure(folder)), fsck: await check(folder) }
  const storeMiB = Math.round(bytesOf(join(folder, 'store')) / 2 ** 20)
  const { messages, size } = values
  const question = 'from exec of mqbroker to boot success, how many milliseconds?'
  const all = {
    question,
    machine,
    messages: Number(messages),
    bodyBytes: Number(size),
    storeMiB,
    ...results,
  }
  console.log(all)
  writeFileSync(join(ROOT, 'bench/results/restart.json'), `${JSON.stringify(all, null, 2)}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
  release()
}
