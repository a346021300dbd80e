import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReceivedMessage } from '../client/index.ts'
import { propertiesText } from '../client/java-text.ts'
import { MessageFlag } from '../protocol/message.ts'
import type { Output } from './output.ts'
import { humanTime } from './printf.ts'

const ROW = '%-20s %s'
const OPEN_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW

export interface BlockOptions {
  /** Also the line with address and position. */
  hasOffsetId: boolean
  /** Shows the body, too. */
  decode: ((body: Uint8Array) => string) | null
}

/** One message, a line for each of its fields, as queryMsgById prints it; the body goes into a file. */
export async function printBlock(
  message: ReceivedMessage,
  out: Output,
  { hasOffsetId, decode }: BlockOptions,
): Promise<void> {
  if (out.isJson) return
  const { stored, tags, keys } = message
  const row = (name: string, value: unknown) => out.line(ROW, `${name}:`, value)
  if (hasOffsetId) row('OffsetID', message.offsetMsgId)
  row('Topic', message.topic)
  row('Tags', `[${tags ?? null}]`)
  row('Keys', `[${keys.length === 0 ? null : keys.join(' ')}]`)
  row('Queue ID', stored.queueId)
  row('Queue Offset', stored.queueOffset)
  row('CommitLog Offset', stored.position)
  row('Reconsume Times', message.reconsumeTimes)
  row('Born Timestamp', humanTime(stored.bornTimestamp))
  row('Store Timestamp', humanTime(stored.storeTimestamp))
  row('Born Host', message.bornHost)
  row('Store Host', message.storeHost)
  row('System Flag', stored.sysFlag & ~MessageFlag.COMPRESSED)
  row('Properties', `{${propertiesText(message.properties)}}`)
  row('Message Body Path', await writeBody(message))
  if (decode !== null) row('Message Body', decode(message.body))
}

/** Names come from whoever sent the message, and others may write to that folder: no path, no link. */
async function writeBody({ msgId, offsetMsgId, body }: ReceivedMessage): Promise<string> {
  const folder = join(tmpdir(), 'rocketmq', 'msgbodys')
  const path = join(folder, /^[\w-]{1,200}$/.test(msgId) ? msgId : offsetMsgId)
  await mkdir(folder, { recursive: true })
  const file = await open(path, OPEN_FLAGS, 0o600)
  try {
    await file.writeFile(body)
  } finally {
    await file.close()
  }
  return path
}
