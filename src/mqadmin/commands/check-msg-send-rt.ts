import { build } from 'hdr-histogram-js'
import { AdminError, type Call, type Command } from '../command.ts'
import { cut } from '../printf.ts'
import { NO_PROGRESS } from '../progress.ts'

const ROW = '%-32s  %-4s  %-20s    %s'
const NAME_WIDTH = 32
const PERCENTILES = [50, 99, 99.9]

export const command: Command = {
  name: 'checkMsgSendRT',
  doc: 'Send messages to all queues of a topic in turn, and show how long each answer takes.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'a', long: 'amount', doc: 'messages, else 100' },
    { short: 's', long: 'size', doc: 'bytes of each, else 128' },
  ],
  run: checkMsgSendRT,
}

async function checkMsgSendRT({ options, admin, out, stopped, progress }: Call): Promise<void> {
  const topic = options.needed('t')
  const amount = options.integer('a', 100, { min: 1 })
  const body = Buffer.alloc(
    options.integer('s', 128, { min: 0, max: 4 * 1024 * 1024 }),
    'hello jodie',
  )
  const producer = admin.producer(`rt_${Date.now()}`)
  producer.start()
  const queues = await producer.queues(topic)
  const times: number[] = []
  let failed = 0
  out.line(ROW, '#Broker Name', '#QID', '#Send Result', '#RT')
  using bar = out.isJson ? progress(amount, 'messages') : NO_PROGRESS
  for (let nth = 0; nth < amount && !stopped.aborted; nth++) {
    const queue = queues[nth % queues.length]!
    const from = performance.now()
    const isSent = await producer.send({ topic, body }, { queue }).then(
      () => true,
      () => false,
    )
    const time = performance.now() - from
    if (!isSent) failed++
    bar.show(nth)
    if (nth > 0) times.push(time) // the first opens the connection, as with Apache's tool
    out.line(ROW, cut(queue.brokerName, NAME_WIDTH), queue.queueId, isSent, Math.round(time))
  }
  report(times, failed, out)
  if (failed === amount) throw new AdminError(`none of ${amount} messages was taken`)
}

/** The classic line, and below it what a mean hides. */
function report(times: readonly number[], failed: number, out: Call['out']): void {
  const histogram = build({ numberOfSignificantValueDigits: 3 })
  for (const time of times) histogram.recordValue(Math.max(1, Math.round(time * 1000)))
  const average = times.length === 0 ? 0 : times.reduce((sum, time) => sum + time, 0) / times.length
  const millis = (micros: number) => (micros / 1000).toFixed(3)
  const shares = PERCENTILES.map(
    (percent) => [`p${percent}`, histogram.getValueAtPercentile(percent)] as const,
  )
  const words = [...shares, ['max', histogram.maxValue] as const].map(
    ([name, micros]) => `${name} ${millis(micros)}`,
  )
  out.line('Avg RT: %.2f', average)
  out.line(`RT ms: ${words.join('  ')}`)
  out.data({
    averageMs: average,
    ...Object.fromEntries(shares.map(([name, micros]) => [`${name}Ms`, micros / 1000])),
    maxMs: histogram.maxValue / 1000,
    failed,
  })
}
