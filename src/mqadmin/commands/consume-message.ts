import type { MessageQueue, PullConsumer } from '../../client/index.ts'
import { messageData } from '../body-text.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { messageLine } from '../message-line.ts'
import { queueText, scan, type Span, spanOf, TOOLS_GROUP } from '../queue-scan.ts'

export const command: Command = {
  name: 'consumeMessage',
  doc: 'Read messages of a topic, or of one queue, oldest first. No offset is committed.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'b', long: 'brokerName', doc: 'broker name, with -i' },
    { short: 'i', long: 'queueId', doc: 'number of the queue, with -b' },
    { short: 'o', long: 'offset', doc: 'offset to begin at, with -b and -i' },
    { short: 'g', long: 'consumerGroup', doc: `read as this group, else ${TOOLS_GROUP}` },
    {
      short: 's',
      long: 'beginTimestamp',
      doc: 'stored from then on: ms or yyyy-MM-dd#HH:mm:ss:SSS',
    },
    { short: 'e', long: 'endTimestamp', doc: 'stored before: ms or yyyy-MM-dd#HH:mm:ss:SSS' },
    { short: 'c', long: 'MessageNumber', doc: 'most messages, else 128' },
  ],
  run: consumeMessage,
}

async function consumeMessage(call: Call): Promise<void> {
  const { options, admin, out } = call
  checkTogether(call)
  const topic = options.needed('t')
  if (options.has('b')) await admin.checkBrokerName(options.needed('b'))
  const consumer = admin.pullConsumer(options.text('g') ?? TOOLS_GROUP)
  consumer.start()
  const queues = await chosenQueues(call, consumer, topic)
  let left = options.integer('c', 128, { min: 1 })
  for (const queue of queues) {
    if (left === 0) return
    const span = await spanOf(consumer, queue, options, ['s', 'e'])
    span.min = Math.max(span.min, options.integer('o', span.min, { min: 0 }))
    if (span.end - span.min > left) {
      span.end = span.min + left
      const which = options.has('b') ? '' : ` of the ${queue.queueId} queue`
      out.line(
        `The ${options.has('b') ? 'oldler' : 'older'} ${left} message${which} will be provided`,
      )
    }
    left -= Math.max(0, span.end - span.min)
    await consume(call, { consumer, queue, span })
  }
}

function checkTogether({ options }: Call): void {
  if (options.has('i') !== options.has('b')) {
    throw new AdminError('-b and -i name a queue together: the one is there without the other')
  }
  if (options.has('o') && !options.has('i')) {
    throw new AdminError('-o is an offset of a queue: add -b and -i')
  }
}

async function chosenQueues(
  { options }: Call,
  consumer: PullConsumer,
  topic: string,
): Promise<readonly MessageQueue[]> {
  const queues = await consumer.queues(topic)
  const brokerName = options.text('b')
  if (brokerName === null) return queues
  const queueId = options.integer('i', 0, { min: 0 })
  const chosen = queues.filter((each) => each.brokerName === brokerName && each.queueId === queueId)
  if (chosen.length > 0) return chosen
  throw new AdminError(`topic ${topic} has no queue ${queueId} on ${brokerName}`)
}

async function consume(
  { out, stopped }: Call,
  { consumer, queue, span }: { consumer: PullConsumer; queue: MessageQueue; span: Span },
): Promise<void> {
  const decoder = new TextDecoder()
  for await (const { messages, status, offset } of scan(consumer, queue, span)) {
    if (status === 'FOUND') out.line('Consume ok')
    else if (status === 'NO_MATCHED_MSG') {
      out.line(`${queueText(queue)} no matched msg. status=${status}, offset=${offset}`)
    } else out.line(`${queueText(queue)} print msg finished. status=${status}, offset=${offset}`)
    for (const message of messages) {
      out.line(messageLine(message, (body) => decoder.decode(body)))
      out.data(messageData(message))
    }
    if (stopped.aborted) return
  }
}
