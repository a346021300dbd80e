import { messageData } from '../body-text.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { consumeDirectly } from '../consume-directly.ts'
import { findByUniqueId } from '../find-by-id.ts'
import { printBlock } from '../message-block.ts'
import { messageTracks, printTracks } from '../message-tracks.ts'

export const command: Command = {
  name: 'queryMsgByUniqueKey',
  doc: 'Show a message by the id that its producer gave it.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'i', long: 'msgId', doc: 'id', isRequired: true },
    { short: 'g', long: 'consumerGroup', doc: 'have a consumer of this group consume it now' },
    { short: 'd', long: 'clientId', doc: 'the consumer of -g' },
    { short: 'a', long: 'showAll', doc: 'all that have this id, not only the first', isFlag: true },
    { short: 'c', long: 'cluster', doc: 'taken, and not looked at' },
  ],
  run: queryMsgByUniqueKey,
}

async function queryMsgByUniqueKey(call: Call): Promise<void> {
  const { options, admin, out } = call
  const [topic, id] = [options.needed('t'), options.needed('i')]
  const found = await findByUniqueId(admin, topic, id)
  const [first] = found
  if (first === undefined) throw new AdminError(`topic ${topic} has no message ${id}`)
  if (options.has('g')) return out.data(await consumeDirectly(call, first))
  const shown: unknown[] = []
  for (const message of options.has('a') ? found : [first]) {
    const tracks = await messageTracks(admin, message)
    shown.push({ ...messageData(message), tracks })
    await printBlock(message, out, { hasOffsetId: false, decode: null })
    printTracks(tracks, out)
  }
  out.data(shown)
}
