import { bodyDecoder, messageData } from '../body-text.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { messageLine } from '../message-line.ts'
import { NO_PROGRESS } from '../progress.ts'
import { scan, spanOf, TOOLS_GROUP } from '../queue-scan.ts'

export const command: Command = {
  name: 'printMsgByQueue',
  doc: 'Show the messages of one queue, or how many there are of each tag.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'a', long: 'brokerName', doc: 'broker name', isRequired: true },
    { short: 'i', long: 'queueId', doc: 'number of the queue', isRequired: true },
    { short: 'c', long: 'charsetName', doc: 'charset of the bodies, else UTF-8' },
    { short: 's', long: 'subExpression', doc: 'only these tags: TagA || TagB' },
    {
      short: 'b',
      long: 'beginTimestamp',
      doc: 'stored from then on: ms or yyyy-MM-dd#HH:mm:ss:SSS',
    },
    { short: 'e', long: 'endTimestamp', doc: 'stored before: ms or yyyy-MM-dd#HH:mm:ss:SSS' },
    { short: 'p', long: 'print msg', doc: 'show the messages (true|false, else)' },
    { short: 'd', long: 'printBody', doc: 'with their bodies (true|false, else)' },
    { short: 'f', long: 'calculate', doc: 'count them by tag (true|false, else)' },
  ],
  run: printMsgByQueue,
}

async function printMsgByQueue(call: Call): Promise<void> {
  const { options, admin, out, stopped, progress } = call
  const [isShown, isCounted] = [options.boolean('p', false), options.boolean('f', false)]
  if (!isShown && !isCounted) throw new AdminError('nothing to print: add -p true, or -f true')
  const queue = {
    topic: options.needed('t'),
    brokerName: options.needed('a'),
    queueId: options.integer('i', 0, { min: 0 }),
  }
  await admin.checkBrokerName(queue.brokerName)
  const decode = options.boolean('d', false) ? bodyDecoder(options, 'c') : null
  const consumer = admin.pullConsumer(TOOLS_GROUP)
  consumer.start()
  await consumer.queues(queue.topic)
  const span = await spanOf(consumer, queue, options, ['b', 'e'])
  const counts = new Map<string, number>()
  using bar = isShown ? NO_PROGRESS : progress(Math.max(0, span.end - span.min), 'messages')
  for await (const { messages, offset } of scan(consumer, queue, span, options.text('s') ?? '*')) {
    for (const message of messages) {
      count(counts, message.tags)
      if (!isShown) continue
      out.line(messageLine(message, decode))
      out.data(messageData(message))
    }
    bar.show(offset + messages.length - span.min)
    if (stopped.aborted) break
  }
  if (isCounted) printCounts(counts, out)
}

/** Apache counts only messages that have a tag. */
function count(counts: Map<string, number>, tag: string | undefined): void {
  if (tag !== undefined) counts.set(tag, (counts.get(tag) ?? 0) + 1)
}

function printCounts(counts: ReadonlyMap<string, number>, out: Call['out']): void {
  for (const [tag, times] of [...counts].toSorted(([, a], [, b]) => b - a)) {
    out.line('Tag: %-30s Count: %s', tag, times)
  }
  out.data({ counts })
}
