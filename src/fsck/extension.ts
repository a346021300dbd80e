import { statSync } from 'node:fs'
import { join } from 'node:path'
import { readSafeInt64, viewOf } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'
import { logFileName } from '../store/log-files.ts'
import type { RecordParts } from '../store/log-record.ts'
import { tagsCodeOf } from '../store/tags-code.ts'
import type { StoreMap } from './store-map.ts'

/** Size, tags code, store time, length of the bit map (Apache 5.3.3, ConsumeQueueExt). */
const UNIT_HEAD = 20

/** What is wrong with the extension that an entry points to; null when nothing is. */
export function extensionFault(
  disk: Disk,
  map: StoreMap,
  asked: { topic: string; queueId: number; code: bigint; record: RecordParts; bytes: Buffer },
): string | null {
  const { topic, queueId, code, record, bytes } = asked
  const address = Number(code + 2n ** 63n)
  const directory = join(map.root, 'consumequeue_ext', topic, String(queueId))
  const head = readUnitHead(disk, directory, address)
  if (head === null) return `its extension at ${address} is not there`
  const { size, tagsCode, storeTimestamp, mapLength } = head
  if (size !== UNIT_HEAD + mapLength) return `its extension at ${address} has wrong lengths`
  const expected = tagsCodeOf(bytes, record.propertiesAt, record.propertiesLength)
  if (tagsCode !== expected || storeTimestamp !== record.storeTimestamp) {
    return `its extension at ${address} is of another message`
  }
  return null
}

function readUnitHead(disk: Disk, directory: string, address: number) {
  const fileSize = sizeOfFirst(disk, directory)
  if (fileSize === 0) return null
  const path = join(directory, logFileName(address - (address % fileSize)))
  if (!disk.exists(path)) return null
  const buffer = Buffer.alloc(UNIT_HEAD)
  const descriptor = disk.openRead(path)
  const span = { buffer, offset: 0, length: UNIT_HEAD, position: address % fileSize }
  const read = disk.pread(descriptor, span)
  disk.close(descriptor)
  if (read < UNIT_HEAD) return null
  const view = viewOf(buffer)
  return {
    size: view.getInt16(0),
    tagsCode: readSafeInt64(view, 2),
    storeTimestamp: readSafeInt64(view, 10),
    mapLength: view.getInt16(18),
  }
}

function sizeOfFirst(disk: Disk, directory: string): number {
  if (!disk.exists(directory)) return 0
  const [first] = disk.list(directory).filter(({ name }) => /^\d{20}$/.test(name))
  return first === undefined ? 0 : statSync(join(directory, first.name)).size
}
