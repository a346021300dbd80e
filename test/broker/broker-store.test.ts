import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { systemDisk } from '../../src/base/disk.ts'
import { BrokerStore } from '../../src/broker/broker-store.ts'
import { MainQueueStore } from '../../src/broker/main-queue-store.ts'
import type { MetadataPublisher } from '../../src/broker/metadata-publisher.ts'
import { brokerDeclaration } from '../../src/config/broker.ts'
import { loadConfig } from '../../src/config/load.ts'
import { readCheckpoint } from '../../src/store/checkpoint.ts'
import { Fault } from '../../src/store/log-memory.ts'
import { Random } from '../sim/random.ts'
import {
  goldenLogFileSize,
  goldenStore,
  GOLDEN_QUEUE_FILE_SIZE,
  unpackGolden,
} from '../support/golden-store.ts'
import { LogBuilder } from '../support/log-builder.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { MemoryLog } from './memory-log.ts'

interface Opened {
  store: BrokerStore
  queues: MainQueueStore
  log: MemoryLog
  close: () => Promise<void>
}

/** As main does it, but for the other threads. */
async function open(root: string, sizes: { log: number; queue: number }): Promise<Opened> {
  const overrides = {
    storePathRootDir: root,
    mappedFileSizeCommitLog: String(sizes.log),
    mappedFileSizeConsumeQueue: String(sizes.queue),
    maxMessageSize: '4096',
    logWindowSize: '65536',
    maxQueues: '1000',
    maxHashSlotNum: '64',
    maxIndexNum: '256',
    brokerIP1: '127.0.0.1',
    brokerIP2: '127.0.0.1',
  }
  const { config } = loadConfig(brokerDeclaration, { overrides, environment: {} })
  const log = new MemoryLog()
  const store = await BrokerStore.open(config, { disk: systemDisk, clock: systemClock, log })
  let isOpen = true
  const close = async () => {
    if (isOpen) await store.close()
    isOpen = false
  }
  onTestFinished(close)
  const nobody = {} as MetadataPublisher // nothing is published here
  return { store, log, close, queues: new MainQueueStore(store, nobody, 1000) }
}

describe.each(['basic', 'rollover', 'kill9', 'torn-tail', 'ipv6-v2'])(
  'Apache’s store %s',
  (name) => {
    const golden = goldenStore(name)
    const sizes = { log: goldenLogFileSize(name), queue: GOLDEN_QUEUE_FILE_SIZE }

    test('is opened with the offsets, entries and times that Apache finds', async () => {
      const root = unpackGolden(name, tempFolder())
      const { store, queues, log } = await open(root, sizes)
      expect(store.shared.appended.value()).toBe(golden.end)
      for (const { topic, queueId, minOffset, maxOffset, units } of golden.queues) {
        expect(queues.minOffset(topic, queueId)).toBe(minOffset)
        expect(queues.maxOffset(topic, queueId)).toBe(maxOffset)
        for (const [offset, position, length, tagsCode] of units) {
          expect(store.unitAt(topic, queueId, offset)).toEqual({ position, length, tagsCode })
        }
        expect(store.unitAt(topic, queueId, maxOffset)).toMatchObject({ length: 0 })
      }
      const cuts = log.lines.filter((line) => line.includes('cut off'))
      expect(cuts.length).toBe(golden.recordsDropped)
    })

    test('is left as a clean store, with every byte of its messages', async () => {
      const root = unpackGolden(name, tempFolder())
      const first = await open(root, sizes)
      expect(existsSync(join(root, 'abort'))).toBe(true)
      await first.close()
      expect(existsSync(join(root, 'abort'))).toBe(false)
      const { store } = await open(root, sizes)
      expect(store.recovered).toMatchObject({ end: golden.end, dispatched: 0, isCut: false })
      for (const { physicalOffset, size, recordSha256 } of golden.messages) {
        const start = physicalOffset - (physicalOffset % sizes.log)
        const file = readFileSync(join(root, 'commitlog', String(start).padStart(20, '0')))
        const bytes = file.subarray(physicalOffset - start, physicalOffset - start + size)
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(recordSha256)
      }
    })
  },
)

describe('a stop', () => {
  const SIZES = { log: 4096, queue: 200 }

  function folderWith(count: number): string {
    const root = join(tempFolder(), 'store')
    const log = new LogBuilder({ fileSize: SIZES.log })
    log.addMany(count)
    log.write(join(root, 'commitlog'))
    return root
  }

  test('is clean when everything has come to the end of the log', async () => {
    const root = folderWith(50)
    const { close } = await open(root, SIZES)
    await close()
    const stop = JSON.parse(readFileSync(join(root, 'ringmq-clean-stop'), 'utf8')) as object
    expect(stop).toMatchObject({ queues: 1, entries: 50, timestamp: 1_700_000_000_049 })
    expect(readCheckpoint(systemDisk, root).physic).toBe(1_700_000_000_049)
  })

  test.each([
    ['after a fault', (store: BrokerStore) => store.shared.setFault(Fault.FENCED)],
    [
      'with bytes that are not written',
      (store: BrokerStore) => store.shared.appended.publish(9999),
    ],
    [
      'with messages that lack their entries',
      ({ shared }: BrokerStore) => shared.dispatched.publish(1),
    ],
  ])('is not clean %s', async (_, spoil) => {
    const root = folderWith(50)
    const { store, close } = await open(root, SIZES)
    spoil(store)
    await close()
    expect(existsSync(join(root, 'abort'))).toBe(true)
    expect(existsSync(join(root, 'ringmq-clean-stop'))).toBe(false)
  })

  test('of a start that was refused leaves the store as it was, and free', async () => {
    const root = folderWith(50)
    writeFileSync(join(root, 'commitlog', 'foreign'), '')
    await expect(open(root, SIZES)).rejects.toThrow('commitlog/foreign')
    expect(existsSync(join(root, 'abort'))).toBe(false)
    rmSync(join(root, 'commitlog', 'foreign'))
    const { store } = await open(root, SIZES)
    expect(store.recovered.dispatched).toBe(50)
  })

  test('is awaited by a second broker: it is refused by name', async () => {
    const root = folderWith(1)
    const { close } = await open(root, SIZES)
    await expect(open(root, SIZES)).rejects.toThrow(`uses the store ${root}`)
    await close()
    await open(root, SIZES)
  })
})

describe('times', () => {
  /** Messages of two queues; several may have one time, and there are gaps. */
  function timesOf(random: Random, count: number): { root: string; times: number[] } {
    const root = join(tempFolder(), 'store')
    const log = new LogBuilder({ fileSize: 8192 })
    const times: number[] = []
    let time = 1000
    for (let nth = 0; nth < count; nth++) {
      time += random.pick([0, 0, 1, 1, 2, 50])
      log.timestamp = time
      const queueId = random.below(3) === 0 ? 1 : 0
      log.add({ queueId })
      if (queueId === 0) times.push(time)
    }
    log.write(join(root, 'commitlog'))
    return { root, times }
  }

  test('a search by time finds what a look at every message finds', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = new Random(seed)
      const { root, times } = timesOf(random, 20 + random.below(100))
      const { queues, close } = await open(root, { log: 8192, queue: 200 })
      const around = [0, 999, 1000, times.at(-1)! + 1, 2 ** 45, ...times]
      for (const time of around.flatMap((at) => [at - 1, at, at + 1])) {
        const lower = times.findIndex((at) => at >= time)
        const upper = times.findLastIndex((at) => at <= time)
        expect(await queues.offsetByTime('Topic', 0, time, 'LOWER')).toBe(
          lower === -1 ? times.length : lower,
        )
        expect(await queues.offsetByTime('Topic', 0, time, 'UPPER')).toBe(Math.max(0, upper))
      }
      for (const [offset, time] of times.entries()) {
        expect(await queues.storeTimeAt('Topic', 0, offset)).toBe(time)
      }
      expect(await queues.earliestStoreTime('Topic', 0)).toBe(times[0])
      await close()
    }
  })

  test('of what is not there are -1, and a search in no queue is 0', async () => {
    const { root, times } = timesOf(new Random(1), 40)
    const { queues } = await open(root, { log: 8192, queue: 200 })
    for (const offset of [-1, times.length, times.length + 100]) {
      expect(await queues.storeTimeAt('Topic', 0, offset)).toBe(-1)
      expect(await queues.isInMemory('Topic', 0, offset)).toBe(false)
    }
    expect(await queues.storeTimeAt('Nothing', 0, 0)).toBe(-1)
    expect(await queues.earliestStoreTime('Nothing', 0)).toBe(-1)
    expect(await queues.offsetByTime('Nothing', 0, 5, 'LOWER')).toBe(0)
    expect(queues.minOffset('Nothing', 0)).toBe(null)
  })

  test('only the end of the log counts as recent', async () => {
    const { root, times } = timesOf(new Random(1), 60)
    const { queues } = await open(root, { log: 8192, queue: 200 })
    expect(await queues.isInMemory('Topic', 0, 0)).toBe(false)
    expect(await queues.isInMemory('Topic', 0, times.length - 1)).toBe(true)
  })
})

test('a topic is deleted up to the last message that was sent before all threads knew', async () => {
  const root = join(tempFolder(), 'store')
  const log = new LogBuilder({ fileSize: 4096 })
  log.addMany(10)
  log.write(join(root, 'commitlog'))
  const { store } = await open(root, { log: 4096, queue: 200 })
  const late = store.shared.appended.value() + 500
  const told: string[] = []
  const publisher = {
    removeTopic: (topic: string) => told.push(topic),
    applied: async () => store.shared.appended.publish(late), // somebody went on sending
  } as unknown as MetadataPublisher
  const queues = new MainQueueStore(store, publisher, 0)
  queues.beginRemoval('Topic')
  expect(store.deleted.below.get('Topic')).toBe(store.shared.appended.value())
  await queues.removeTopic('Topic')
  expect(told).toEqual(['Topic'])
  expect(store.deleted.below.get('Topic')).toBe(late)
  expect(store.rows.of('Topic')).toBe(undefined)
  expect(existsSync(join(root, 'consumequeue', 'Topic'))).toBe(false)
})
