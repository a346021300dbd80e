import { formatSendResult, type ReceivedMessage } from '../../client/index.ts'
import { MessageProperty } from '../../protocol/message-property.ts'
import { bodyDecoder, messageData } from '../body-text.ts'
import type { Call, Command } from '../command.ts'
import { consumeDirectly } from '../consume-directly.ts'
import { findById } from '../find-by-id.ts'
import { printBlock } from '../message-block.ts'
import { messageTracks, printTracks } from '../message-tracks.ts'

export const command: Command = {
  name: 'queryMsgById',
  doc: 'Show messages by the id that the broker gave them, or by that of their producer.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'i', long: 'msgId', doc: 'ids, with commas between', isRequired: true },
    { short: 'g', long: 'consumerGroup', doc: 'have a consumer of this group consume it now' },
    { short: 'd', long: 'clientId', doc: 'the consumer of -g' },
    { short: 's', long: 'sendMessage', doc: 'send it again (true|false)' },
    { short: 'u', long: 'unitName', doc: 'taken, and not looked at' },
    { short: 'f', long: 'bodyFormat', doc: 'show the body, in this charset' },
    { short: 'c', long: 'cluster', doc: 'taken, and not looked at' },
  ],
  run: queryMsgById,
}

async function queryMsgById(call: Call): Promise<void> {
  const { options, admin, out } = call
  const topic = options.needed('t')
  const decode = options.has('f') ? bodyDecoder(options, 'f') : null
  const isSentAgain = options.boolean('s', false)
  const shown: unknown[] = []
  await admin.route(topic) // a message is found by its position: of a topic that is not there it would be, too
  for (const id of options.needed('i').split(',')) {
    const message = await findById(admin, topic, id.trim())
    if (isSentAgain) shown.push(await sendAgain(call, message))
    else if (options.has('g')) shown.push(await consumeDirectly(call, message))
    else {
      const tracks = await messageTracks(admin, message)
      shown.push({ ...messageData(message), tracks })
      await printBlock(message, out, { hasOffsetId: true, decode })
      printTracks(tracks, out)
    }
  }
  out.data(shown)
}

/** As a new message, with the tags, keys and own properties of the old one. */
async function sendAgain({ admin, out }: Call, message: ReceivedMessage): Promise<unknown> {
  const { topic, body, tags, properties, stored, offsetMsgId } = message
  const reserved = new Set<string>(Object.values(MessageProperty))
  const own = Object.fromEntries([...properties].filter(([name]) => !reserved.has(name)))
  const keys = properties.get(MessageProperty.KEYS)
  const producer = admin.producer('ReSendMsgById')
  producer.start()
  out.line(`prepare resend msg. originalMsgId=${offsetMsgId}`)
  const sent = await producer.send({
    topic,
    body,
    tags,
    keys,
    flag: stored.flag,
    properties: own,
  })
  out.line(formatSendResult(sent))
  return sent
}
