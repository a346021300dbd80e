import type { MessageQueue, Producer } from '../../client/index.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { cut } from '../printf.ts'

const ROW = '%-32s  %-4s  %-20s    %s'
const NAME_WIDTH = 32

export const command: Command = {
  name: 'sendMessage',
  doc: 'Send one message.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'p', long: 'body', doc: 'body, sent as UTF-8', isRequired: true },
    { short: 'k', long: 'key', doc: 'keys, with blanks between' },
    { short: 'c', long: 'tags', doc: 'tag' },
    { short: 'b', long: 'broker', doc: 'broker name' },
    { short: 'i', long: 'qid', doc: 'number of the queue, with -b' },
    {
      short: 'm',
      long: 'msgTraceEnable',
      doc: 'whether a trace of it is sent too (true|false), else false',
    },
  ],
  run: sendMessage,
}

async function sendMessage({ options, admin, out }: Call): Promise<void> {
  if (options.has('i') && !options.has('b')) {
    throw new AdminError('Broker name must be set if the queue is chosen!')
  }
  const topic = options.needed('t')
  const producer = admin.producer(String(Date.now()), {
    trace: options.text('m')?.trim() === 'true',
  })
  producer.start()
  const message = {
    topic,
    body: options.needed('p'),
    keys: options.text('k') ?? undefined,
    tags: options.text('c') ?? undefined,
  }
  const queue = await chosenQueue(producer, options, topic)
  const result = await producer.send(message, { queue })
  out.head(ROW, '#Broker Name', '#QID', '#Send Result', '#MsgId')
  const { brokerName, queueId } = result.queue
  out.row(ROW, cut(brokerName, NAME_WIDTH), queueId, result.status, result.msgId)
  out.data(result)
}

/** Undefined: any. */
async function chosenQueue(
  producer: Producer,
  options: Call['options'],
  topic: string,
): Promise<MessageQueue | undefined> {
  const brokerName = options.text('b')
  if (brokerName === null) return undefined
  const queueId = options.integer('i', -1, { min: 0 })
  const queues = await producer.queues(topic)
  const found = queues.find(
    (each) => each.brokerName === brokerName && (queueId === -1 || each.queueId === queueId),
  )
  if (found !== undefined) return found
  const which = queueId === -1 ? 'queue' : `queue ${queueId}`
  throw new AdminError(`topic ${topic} has no ${which} on ${brokerName} that takes messages`)
}
