import type { MessageQueue, PullConsumer } from '../../client/index.ts'
import { bodyDecoder, messageData } from '../body-text.ts'
import type { Call, Command } from '../command.ts'
import { messageLine } from '../message-line.ts'
import { queueText, scan, spanOf, TOOLS_GROUP } from '../queue-scan.ts'

const RULE = '-'.repeat(56)

export const command: Command = {
  name: 'printMsg',
  doc: 'Show all messages of a topic, queue by queue.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'c', long: 'charsetName', doc: 'charset of the bodies, else UTF-8' },
    { short: 's', long: 'subExpression', doc: 'only these tags: TagA || TagB' },
    {
      short: 'b',
      long: 'beginTimestamp',
      doc: 'stored from then on: ms or yyyy-MM-dd#HH:mm:ss:SSS',
    },
    { short: 'e', long: 'endTimestamp', doc: 'stored before: ms or yyyy-MM-dd#HH:mm:ss:SSS' },
    { short: 'd', long: 'printBody', doc: 'show the bodies (true, else|false)' },
    { short: 'l', long: 'lmqParentTopic', doc: 'topic whose route is that of a light queue' },
  ],
  run: printMsg,
}

async function printMsg(call: Call): Promise<void> {
  const { options, admin, stopped } = call
  const topic = options.needed('t')
  const consumer = admin.pullConsumer(TOOLS_GROUP)
  consumer.start()
  const parent = options.text('l')
  const queues = await consumer.queues(parent ?? topic)
  for (const queue of queues) {
    if (stopped.aborted) return
    await printQueue(call, consumer, { ...queue, topic })
  }
}

/** With --json: one object a message, as they come. */
async function printQueue(
  { options, out, stopped }: Call,
  consumer: PullConsumer,
  queue: MessageQueue,
): Promise<void> {
  const decode = options.boolean('d', true) ? bodyDecoder(options, 'c') : null
  const span = await spanOf(consumer, queue, options, ['b', 'e'])
  out.line(`minOffset=${span.min}, maxOffset=${span.end}, ${queueText(queue)}`)
  for await (const page of scan(consumer, queue, span, options.text('s') ?? '*')) {
    const { messages, status, offset } = page
    if (status === 'NO_MATCHED_MSG') {
      out.line(`${queueText(queue)} no matched msg. status=${status}, offset=${offset}`)
    } else if (status !== 'FOUND') {
      out.line(`${queueText(queue)} print msg finished. status=${status}, offset=${offset}`)
    }
    for (const message of messages) {
      out.line(messageLine(message, decode))
      out.data(messageData(message))
    }
    if (stopped.aborted) return
  }
  out.line(RULE)
}
