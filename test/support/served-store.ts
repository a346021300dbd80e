import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { ConfigFile } from '../../src/broker/config-json.ts'
import { messagesIn } from '../../src/protocol/message.ts'
import { DescriptorCache } from '../../src/store/descriptor-cache.ts'
import { ConsumeQueue, queueDirectory } from '../../src/store/consume-queue.ts'
import { LogChunks } from '../../src/store/log-chunks.ts'
import { LogFiles } from '../../src/store/log-files.ts'
import { allocateLogMemory, LogShared, Thread } from '../../src/store/log-memory.ts'
import { LogWindow } from '../../src/store/log-window.ts'
import { PullReader, ReadStatus } from '../../src/store/pull-reader.ts'
import { QueueRows } from '../../src/store/queue-rows.ts'
import { UnitReader } from '../../src/store/unit-reader.ts'
import { recoverFolder } from './recovered-store.ts'

const CONFIG_FILES = ['topics', 'subscriptionGroup', 'consumerOffset', 'delayOffset']
const COUNT_MAX = 8
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** Nothing here outlives the process, so nothing waits for the disk. */
const unsyncedDisk: Disk = { ...systemDisk, fdatasync: () => {}, syncDirectory: () => {} }

export interface Served {
  /** Positions of messages that pulls answered with. */
  positions: Set<number>
  /** Messages with a wrong checksum that a pull answered with: there must be none. */
  wrong: number
  /** Bytes that recovery called damaged. */
  damaged: number
}

/**
 * Starts on a store as a broker does, and pulls every message of every queue. Rejects when it does not
 * start.
 */
export async function serveAll(
  root: string,
  { logFileSize, queueFileSize }: { logFileSize: number; queueFileSize: number },
): Promise<Served> {
  const recovered = recoverFolder({ root, disk: unsyncedDisk, logFileSize, queueFileSize })
  for (const name of CONFIG_FILES) {
    await new ConfigFile(join(root, 'config', `${name}.json`), SILENT).load()
  }
  const memory = allocateLogMemory({
    windowSize: 4096,
    slack: 2048,
    threads: Thread.NETWORK + 1,
    rows: 262_144, // maxQueues, as it is normally
  })
  const main = new LogShared(memory, Thread.MAIN)
  main.start(recovered.end, recovered)
  const rows = new QueueRows(main.rows)
  for (const { topic, queueId, next, min } of recovered.queues) {
    rows.restore(topic, queueId, { next, min })
  }
  const files = new LogFiles(readableDisk, {
    directory: join(root, 'commitlog'),
    fileSize: logFileSize,
  })
  const descriptors = new DescriptorCache(readableDisk, { max: 64, isReadOnly: true })
  const served: Served = { positions: new Set(), wrong: 0, damaged: recovered.damaged }
  const chunks = new LogChunks(files, () => recovered.end)
  const limits = { count: COUNT_MAX, bytes: 65_536 }
  const reader = new PullReader(new LogShared(memory, Thread.NETWORK), {
    window: new LogWindow(main),
    chunks,
    limits: { hot: limits, cold: limits, hotBytes: 0 },
  })
  try {
    for (const { topic, queueId, next } of recovered.queues) {
      const directory = queueDirectory(
        { root: join(root, 'consumequeue'), fileSize: queueFileSize },
        topic,
        queueId,
      )
      const queue = new ConsumeQueue(directory, {
        fileSize: queueFileSize,
        disk: readableDisk,
        descriptors,
      })
      const row = rows.row(topic, queueId)!
      await pullQueue(reader, { row, queue: new UnitReader(queue), next }, served)
    }
  } finally {
    files.closeAll()
    descriptors.closeAll()
  }
  return served
}

const readableDisk: Disk = { ...systemDisk, open: (path) => systemDisk.openRead(path) }

async function pullQueue(
  reader: PullReader,
  { row, queue, next }: { row: number; queue: UnitReader; next: number },
  served: Served,
): Promise<void> {
  for (let offset = 0, tries = 0; offset < next; tries++) {
    if (tries > next + 1000) throw new Error('a pull comes to no end')
    const request = { row, queue, offset, countMax: COUNT_MAX, filter: null }
    reader.find(request)
    if (reader.status !== ReadStatus.FOUND) {
      if (reader.nextOffset <= offset)
        throw new Error(`a consumer stays at ${offset}: ${reader.status}`)
      offset = reader.nextOffset
      continue
    }
    await new Promise<void>((resolve, reject) => {
      reader.load((error) => (error === null ? resolve() : reject(error)))
    })
    reader.find(request)
    const bytes = Buffer.alloc(reader.length)
    if (!reader.copyOut(bytes, 0)) continue // damaged: it is passed over from now on
    take(bytes, served)
    offset = reader.nextOffset
  }
}

function take(bytes: Buffer, served: Served): void {
  for (const { position, body, bodyCrc } of messagesIn(bytes)) {
    served.positions.add(position)
    if ((crc32(body) & 0x7fffffff) !== bodyCrc) served.wrong++
  }
}
