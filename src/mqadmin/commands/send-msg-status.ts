import { formatSendResult, type SendResult } from '../../client/index.ts'
import type { Call, Command } from '../command.ts'
import { NO_PROGRESS } from '../progress.ts'

export const command: Command = {
  name: 'sendMsgStatus',
  doc: 'Send messages to the topic that is named like the broker, and show each result.',
  options: [
    { short: 'b', long: 'brokerName', doc: 'broker name', isRequired: true },
    { short: 's', long: 'messageSize', doc: 'bytes of each, else 128' },
    { short: 'c', long: 'count', doc: 'messages, else 50' },
  ],
  run: sendMsgStatus,
}

async function sendMsgStatus({ options, admin, out, stopped, progress }: Call): Promise<void> {
  const topic = options.needed('b')
  const count = options.integer('c', 50, { min: 1 })
  const size = options.integer('s', 128, { min: 1, max: 4 * 1024 * 1024 })
  const body = Buffer.alloc(size, 'hello jodie')
  await admin.checkBrokerName(topic)
  const producer = admin.producer('PID_SMSC')
  producer.start()
  await producer.send({ topic, body: body.subarray(0, 16) }) // opens the connection
  const results: (SendResult & { ms: number })[] = []
  using bar = out.isJson ? progress(count, 'messages') : NO_PROGRESS
  for (let nth = 0; nth < count && !stopped.aborted; nth++) {
    const from = performance.now()
    const result = await producer.send({ topic, body })
    const ms = Math.round(performance.now() - from)
    results.push({ ...result, ms })
    bar.show(nth)
    out.line(`rt=${ms}ms, SendResult=${formatSendResult(result)}`)
  }
  out.data(results)
}
