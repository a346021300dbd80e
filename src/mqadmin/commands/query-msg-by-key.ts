import { messageData } from '../body-text.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { messagesByKey } from '../message-search.ts'
import { timeOption } from '../time-option.ts'

const HEAD = '%-50s %4s %40s'
const ROW = '%-50s %4d %40d'

export const command: Command = {
  name: 'queryMsgByKey',
  doc: 'List the messages of a topic that have a key.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'k', long: 'msgKey', doc: 'key', isRequired: true },
    { short: 'b', long: 'beginTimestamp', doc: 'stored from then on, ms' },
    { short: 'e', long: 'endTimestamp', doc: 'stored until then, ms' },
    { short: 'm', long: 'maxNum', doc: 'most messages, else 64' },
    { short: 'c', long: 'cluster', doc: 'taken, and not looked at' },
  ],
  run: queryMsgByKey,
}

async function queryMsgByKey({ options, admin, out }: Call): Promise<void> {
  const [topic, key] = [options.needed('t'), options.needed('k')]
  const found = await messagesByKey(admin, {
    topic,
    key,
    max: options.integer('m', 64, { min: 1, max: 2 ** 31 - 1 }),
    begin: timeOption(options, 'b') ?? 0,
    end: timeOption(options, 'e') ?? Number.MAX_SAFE_INTEGER,
  })
  if (found.length === 0) throw new AdminError(`topic ${topic} has no message with key ${key}`)
  out.head(HEAD, '#Message ID', '#QID', '#Offset')
  for (const { msgId, stored, queueOffset } of found)
    out.row(ROW, msgId, stored.queueId, queueOffset)
  out.data(found.map(messageData))
}
