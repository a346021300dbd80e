import { setTimeout as pause } from 'node:timers/promises'
import type { Producer } from '../../client/index.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { INTERVAL_MAX_S } from '../repeat.ts'

const HEAD = '%-24s  %-24s  %-4s  %-8s  %-8s'
const ROW = '%-24s  %-24s  %-8s  %-16s  %-16s'

export const command: Command = {
  name: 'clusterRT',
  doc: 'Show again and again how long sends to the brokers take, each to the topic named like it.',
  options: [
    { short: 'a', long: 'amount', doc: 'messages to a broker in each round, else 100' },
    { short: 's', long: 'size', doc: 'bytes of each, else 128' },
    { short: 'c', long: 'cluster', doc: 'only this cluster' },
    { short: 'p', long: 'print log', doc: 'lines with | between for a log (true|false, else)' },
    { short: 'm', long: 'machine room', doc: 'name of the room in these lines, else noname' },
    { short: 'i', long: 'interval', doc: 'seconds between two rounds, else 10' },
  ],
  run: clusterRT,
}

interface Row {
  cluster: string
  brokerName: string
  averageMs: number
  sent: number
  failed: number
}

async function clusterRT(call: Call): Promise<void> {
  const { options, admin, out, stopped } = call
  const seconds = options.integer('i', 10, { min: 1, max: INTERVAL_MAX_S })
  const amount = options.integer('a', 100, { min: 1 })
  const size = options.integer('s', 128, { min: 1, max: 4 * 1024 * 1024 })
  const body = Buffer.alloc(size, 'hello jodie')
  const isLog = options.boolean('p', false)
  const brokers = await admin.brokers(options.text('c'))
  if (brokers.length === 0) throw new AdminError('no broker is registered: start one first')
  const producer = admin.producer(`rt_${Date.now()}`)
  producer.start()
  if (!isLog) {
    out.line(HEAD, '#Cluster Name', '#Broker Name', '#RT', '#successCount', '#failCount')
  }
  while (!stopped.aborted) {
    for (const { cluster, brokerName } of brokers) {
      const message = { topic: brokerName, body }
      const measured = await measure(producer, message, amount, stopped)
      const row = { cluster, brokerName, ...measured }
      out.line(...(isLog ? logLine(row, options.text('m') ?? 'noname') : tableLine(row)))
      out.data(row)
    }
    await pause(seconds * 1000, undefined, { signal: stopped }).catch(() => undefined)
  }
}

async function measure(
  producer: Producer,
  message: { topic: string; body: Buffer },
  amount: number,
  stopped: AbortSignal,
): Promise<Pick<Row, 'averageMs' | 'sent' | 'failed'>> {
  let [total, sent, failed] = [0, 0, 0]
  for (let nth = 0; nth < amount && !stopped.aborted; nth++) {
    const from = performance.now()
    const isSent = await producer.send(message).then(
      () => true,
      () => false,
    )
    if (isSent) sent++
    else failed++
    if (nth > 0) total += performance.now() - from // the first opens the connection
  }
  return { averageMs: total / Math.max(1, sent + failed - 1), sent, failed }
}

function tableLine(row: Row): [string, ...unknown[]] {
  const { cluster, brokerName, averageMs, sent, failed } = row
  return [ROW, cluster, brokerName, averageMs.toFixed(2), sent, failed]
}

/** With a time of GMT+8, as Apache writes it wherever the tool runs. */
function logLine({ cluster, brokerName, averageMs }: Row, room: string): [string] {
  const time = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
  return [`${time}|${room}|${cluster}|${brokerName}|${Math.round(averageMs)}`]
}
