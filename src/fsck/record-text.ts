import { crc32 } from '../base/crc32.ts'
import { decodeProperties, MessageFlag } from '../protocol/message.ts'
import type { RecordParts } from '../store/log-record.ts'
import { keyHash } from '../store/record-keys.ts'

/** `__CRC32#`, 0x01, ten digits, 0x02 (Apache 5.3.3, enabledAppendPropCRC). */
const CRC_NAME = Buffer.from('__CRC32#\u0001')
const CRC_LENGTH = 20

/** As Apache decodes them: of two pairs of one name the last counts. */
export function propertiesOf(bytes: Buffer, record: RecordParts): Map<string, string> {
  const { propertiesAt, propertiesLength } = record
  return decodeProperties(bytes.toString('utf8', propertiesAt, propertiesAt + propertiesLength))
}

/** Hashes under which the index has a record, in their order (Apache 5.3.3, IndexService). */
export function indexHashes(
  topic: string,
  sysFlag: number,
  properties: ReadonlyMap<string, string>,
): number[] {
  const transaction = sysFlag & MessageFlag.TRANSACTION_ROLLBACK
  if (transaction === MessageFlag.TRANSACTION_ROLLBACK) return []
  const unique = properties.get('UNIQ_KEY')
  const keys = (properties.get('KEYS') ?? '').split(' ').filter((key) => key !== '')
  const all = unique === undefined ? keys : [unique, ...keys]
  return all.map((key) => keyHash(topic, key))
}

/** Entries that a message has in queues of other names (LMQ): name, queue and offset. */
export function otherQueues(
  properties: ReadonlyMap<string, string>,
  queueId: number,
): { name: string; queueId: number; offset: number }[] {
  const names = (properties.get('INNER_MULTI_DISPATCH') ?? '').split(',')
  const offsets = (properties.get('INNER_MULTI_QUEUE_OFFSET') ?? '').split(',')
  if (names[0] === '' || offsets[0] === '' || names.length !== offsets.length) return []
  return names
    .map((name, nth) => ({
      name,
      queueId: name.startsWith('%LMQ%') ? 0 : queueId,
      offset: Number(offsets[nth]),
    }))
    .filter(({ name, offset }) => !/[/\\]/.test(name) && Number.isSafeInteger(offset))
}

/** Whether the checksum over the whole record holds; true when it carries none. */
export function holdsPropertyCrc(bytes: Buffer, record: RecordParts): boolean {
  const end = record.propertiesAt + record.propertiesLength
  const at = end - record.length
  const from = end - CRC_LENGTH
  if (record.propertiesLength < CRC_LENGTH) return true
  if (bytes.compare(CRC_NAME, 0, CRC_NAME.length, from, from + CRC_NAME.length) !== 0) return true
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const expected = crc32(view, at, record.length - CRC_LENGTH) & 0x7fffffff
  const digits = bytes.toString('latin1', from + CRC_NAME.length, end - 1)
  const lastFirst = digits.split('') // as they stand there
  return Number(lastFirst.toReversed().join('')) === expected
}
