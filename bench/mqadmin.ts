/**
 * Our mqadmin beside Apache's, and our broker beside Apache's, each asked by both tools, in turn: what a clusterList
 * costs, and how long sends take (checkMsgSendRT, clusterRT). Writes bench/results/mqadmin.json. Needs java and mvn.
 *
 *   npm run bench:mqadmin
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { APACHE_VERSION } from '../scripts/apache.ts'
import { takeBenchLock } from './lab/bench-lock.ts'
import { parseSide, startBroker, type BrokerKind, type RunningBroker } from './lab/broker.ts'
import { describeMachine } from './lab/machine.ts'
import { runTool, TOOLS, type Tool } from './lab/mqadmin-tool.ts'

const KINDS: readonly BrokerKind[] = ['apache', 'ringmq']
const PORTS = { apache: [30911, 39876], ringmq: [31911, 39877] } as const
const HEAP = ['-Xms1g', '-Xmx1g', '-XX:MaxDirectMemorySize=1g']
const TOPIC = 'T'
const ROUNDS = 5
const SENDS = 10_000
const LISTS = 9

interface Cost {
  wallMs: number
  cpuMs: number
}

type Brokers = Readonly<Record<BrokerKind, RunningBroker>>

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
const round = (value: number) => Math.round(value * 1000) / 1000
const lineOf = (broker: RunningBroker, line: string) =>
  [...line.split(' '), '-n', `127.0.0.1:${broker.namesrvPort}`] as const

/** Medians of both tools, on our cluster; the first run of each fills its caches and is not counted. */
async function clusterLists({ ringmq }: Brokers, folder: string): Promise<Record<Tool, Cost>> {
  const runs: Record<Tool, Cost[]> = { apache: [], ringmq: [] }
  for (let nth = 0; nth <= LISTS; nth++) {
    for (const tool of TOOLS) {
      const ran = await runTool(tool, lineOf(ringmq, 'clusterList'), folder)
      if (!ran.stdout.includes('broker-a')) throw new Error(`${tool}: ${ran.stdout}${ran.stderr}`)
      if (nth > 0) runs[tool].push(ran)
    }
  }
  const cost = (tool: Tool): Cost => ({
    wallMs: Math.round(median(runs[tool].map((run) => run.wallMs))),
    cpuMs: Math.round(median(runs[tool].map((run) => run.cpuMs))),
  })
  return { apache: cost('apache'), ringmq: cost('ringmq') }
}

/** Milliseconds, one figure of each round. */
type Times = Record<Tool, Record<BrokerKind, number[]>>

/** Runs `measure` for each tool on each broker, in turn, so that all have the same moments of the machine. */
async function inTurn(
  rounds: number,
  measure: (tool: Tool, kind: BrokerKind) => Promise<number>,
): Promise<Times> {
  const times: Times = {
    apache: { apache: [], ringmq: [] },
    ringmq: { apache: [], ringmq: [] },
  }
  for (let nth = 0; nth < rounds; nth++) {
    for (const tool of TOOLS) {
      for (const kind of KINDS) times[tool][kind].push(await measure(tool, kind))
    }
  }
  return times
}

function checkMsgSendRt(brokers: Brokers, folder: string): Promise<Times> {
  return inTurn(ROUNDS, async (tool, kind) => {
    const line = `checkMsgSendRT -t ${TOPIC} -a ${SENDS} -s 128`
    const { stdout } = await runTool(tool, lineOf(brokers[kind], line), folder)
    const sent = stdout.match(/^broker-a +\d+ +true /gm)?.length
    if (sent !== SENDS) throw new Error(`${tool} on ${kind}: ${sent} of ${SENDS} were sent`)
    return Number(/^Avg RT: ([\d.]+)/m.exec(stdout)![1])
  })
}

/** It goes on until it is ended: the first row of a run is left out, the next two are its figure. */
function clusterRt(brokers: Brokers, folder: string): Promise<Times> {
  return inTurn(ROUNDS, async (tool, kind) => {
    const line = `clusterRT -a ${SENDS / 4} -s 128 -i 1`
    const { stdout } = await runTool(tool, lineOf(brokers[kind], line), folder, 3)
    const rows = [...stdout.matchAll(/^DefaultCluster +broker-a +([\d.]+) +(\d+) +(\d+)/gm)]
    if (rows.some(([, , , failed]) => failed !== '0'))
      throw new Error(`${tool} on ${kind}: ${stdout}`)
    return (Number(rows[1]![1]) + Number(rows[2]![1])) / 2
  })
}

function summaryOf(times: Times): Record<Tool, object> {
  const of = (tool: Tool) => {
    const [apacheMs, ringmqMs] = KINDS.map((kind) => round(median(times[tool][kind])))
    return { apacheMs, ringmqMs, ratio: round(ringmqMs! / apacheMs!), rounds: times[tool] }
  }
  return { apache: of('apache'), ringmq: of('ringmq') }
}

async function measure(brokers: Brokers, folder: string): Promise<object> {
  for (const kind of KINDS) {
    await runTool(
      'ringmq',
      lineOf(brokers[kind], `updateTopic -c DefaultCluster -t ${TOPIC}`),
      folder,
    )
  }
  const lists = await clusterLists(brokers, folder)
  const ratio = round(lists.ringmq.cpuMs / lists.apache.cpuMs)
  return {
    clusterList: { ...lists, cpuRatio: ratio, runs: LISTS },
    checkMsgSendRT: { messages: SENDS, ...summaryOf(await checkMsgSendRt(brokers, folder)) },
    clusterRT: { messages: SENDS / 4, ...summaryOf(await clusterRt(brokers, folder)) },
  }
}

async function start(kind: BrokerKind, folder: string): Promise<RunningBroker> {
  const [port, namesrvPort] = PORTS[kind]
  const directory = join(folder, kind)
  return startBroker(parseSide(kind), { directory, port, namesrvPort, settings: {}, heap: HEAP })
}

const release = takeBenchLock()
const folder = mkdtempSync(join(tmpdir(), 'ringmq-bench-mqadmin-'))
const running: RunningBroker[] = []
try {
  for (const kind of KINDS) running.push(await start(kind, folder))
  const machine = { ...describeMachine(), apache: APACHE_VERSION }
  const results = await measure({ apache: running[0]!, ringmq: running[1]! }, folder)
  console.log(JSON.stringify(results, null, 2))
  const text = JSON.stringify({ machine, results }, null, 2)
  writeFileSync(join(import.meta.dirname, 'results', 'mqadmin.json'), `${text}\n`)
} finally {
  for (const broker of running) await broker.stop()
  rmSync(folder, { recursive: true })
  release()
}
