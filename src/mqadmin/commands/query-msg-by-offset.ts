import { bodyDecoder, messageData } from '../body-text.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { printBlock } from '../message-block.ts'
import { messageTracks, printTracks } from '../message-tracks.ts'
import { TOOLS_GROUP } from '../queue-scan.ts'

export const command: Command = {
  name: 'queryMsgByOffset',
  doc: 'Show the message at an offset of a queue.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'b', long: 'brokerName', doc: 'broker name', isRequired: true },
    { short: 'i', long: 'queueId', doc: 'number of the queue', isRequired: true },
    { short: 'o', long: 'offset', doc: 'offset in the queue', isRequired: true },
    { short: 'f', long: 'bodyFormat', doc: 'show the body, in this charset' },
  ],
  run: queryMsgByOffset,
}

async function queryMsgByOffset({ options, admin, out }: Call): Promise<void> {
  const queue = {
    topic: options.needed('t'),
    brokerName: options.needed('b'),
    queueId: options.integer('i', 0, { min: 0 }),
  }
  const offset = options.integer('o', 0, { min: 0 })
  const decode = options.has('f') ? bodyDecoder(options, 'f') : null
  await admin.checkBrokerName(queue.brokerName)
  const consumer = admin.pullConsumer(TOOLS_GROUP)
  consumer.start()
  await consumer.queues(queue.topic)
  const { messages, minOffset, maxOffset } = await consumer.pull(queue, { offset, countMax: 1 })
  const [message] = messages
  if (message === undefined || message.queueOffset !== offset) {
    const have = `the queue has ${minOffset} to ${maxOffset - 1}`
    throw new AdminError(`there is no message at offset ${offset}: ${have}`)
  }
  const tracks = await messageTracks(admin, message)
  await printBlock(message, out, { hasOffsetId: true, decode })
  printTracks(tracks, out)
  out.data({ ...messageData(message), tracks })
}
