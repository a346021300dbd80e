import { join } from 'node:path'
import { viewOf } from '../../../src/base/bytes.ts'
import type { Clock } from '../../../src/base/clock.ts'
import {
  INDEX_HEADER_LENGTH,
  type IndexItem,
  itemPosition,
  readIndexHeader,
  readItem,
  slotPosition,
} from '../../../src/store/index-file.ts'
import { IndexTable } from '../../../src/store/index-table.ts'
import type { KeyIndex } from '../../../src/store/key-index.ts'
import { type LogMemory, Thread } from '../../../src/store/log-memory.ts'
import { keyHash } from '../../../src/store/record-keys.ts'
import type { Recovered } from '../../../src/store/recovery.ts'
import { atOnce } from '../steps.ts'
import { expect, type StoredRecord } from './store-ledger.ts'
import { SilentShared } from './store-retention.ts'
import { keysOf, QUEUES, STORE_APPEND_MAX } from './store-sources.ts'
import { INDEX_FORMAT, ROOT, type StoreWorld } from './store-world.ts'

const DIRECTORY = `${ROOT}/index`

/** Dispatch's. It takes no steps of its own: others run between its turns. */
export function keyIndexOf(world: StoreWorld, memory: LogMemory, clock: Clock): KeyIndex {
  const { core, disk, sizes } = world
  const files = new core.LogFiles(disk, {
    directory: `${ROOT}/commitlog`,
    fileSize: sizes.fileSize,
  })
  const places = { root: ROOT, directory: DIRECTORY }
  const shared = new SilentShared(memory, Thread.DISPATCH)
  return new core.KeyIndex(shared, { disk, clock, files, format: INDEX_FORMAT, ...places })
}

/** As main starts it, see BrokerStore. */
export function startIndex(world: StoreWorld, memory: LogMemory): void {
  const table = new IndexTable(memory.index)
  table.setExact(world.lastKind !== world.core.StopKind.KILLED)
  new SilentShared(memory, Thread.MAIN).indexDurable.publish(world.times.index)
}

/** When a recovery has ended: the index goes on from what it finds, and has all messages then. */
export function checkRecoveredIndex(world: StoreWorld, recovered: Recovered): void {
  const { core, sizes } = world
  const memory = core.allocateLogMemory({
    windowSize: sizes.windowSize,
    slack: STORE_APPEND_MAX,
    threads: Thread.NETWORK + 1,
    rows: QUEUES.length,
    indexSlots: INDEX_FORMAT.slots,
  })
  atOnce(new core.LogShared(memory, Thread.MAIN).start(recovered.end, recovered))
  startIndex(world, memory)
  const index = keyIndexOf(world, memory, { now: () => world.timeMs })
  while (index.work() > 0) continue
  index.close()
  checkIndex(world)
}

/**
 * What must hold when the index has come to the end of the log: each key of each message has one item,
 * which its slot leads to, and nothing but messages has any. Messages that are about to go need none.
 */
export function checkIndex(world: StoreWorld): void {
  const items = itemsOf(world)
  const { released } = world.ledger
  const records = world.ledger.records.filter(({ position }) => position >= released)
  for (const record of records) {
    const found = items.get(record.position) ?? []
    items.delete(record.position)
    const isRight = record.isTorn || sameHashes(found, hashesOf(record))
    expect(isRight, `the record at ${record.position} has ${found.length} items in the index`)
  }
  const first = records[0]?.position ?? Infinity
  const others = [...items.keys()].filter((position) => position >= first)
  const isRight = others.length === 0 || world.disk.mayFlip
  expect(isRight, `the index has items for ${others[0]}, where no record begins`)
}

/** By position of the message: the hashes that lead to it. */
function itemsOf(world: StoreWorld): Map<number, number[]> {
  const items = new Map<number, number[]>()
  for (const { name } of filesOf(world)) {
    const bytes = world.disk.readFile(join(DIRECTORY, name))
    const { count } = readIndexHeader(bytes.subarray(0, INDEX_HEADER_LENGTH))
    const met = chainsOf(bytes, count)
    expect(met.length === count - 1, `${met.length} of ${count - 1} items of ${name} are in chains`)
    for (const { position, hash } of met) {
      items.set(position, [...(items.get(position) ?? []), hash])
    }
  }
  return items
}

function filesOf({ disk }: StoreWorld): { name: string }[] {
  return disk.exists(DIRECTORY) ? disk.list(DIRECTORY) : []
}

function chainsOf(bytes: Buffer, count: number): IndexItem[] {
  const view = viewOf(bytes)
  const met: IndexItem[] = []
  for (let slot = 0; slot < INDEX_FORMAT.slots; slot++) {
    let nth = view.getInt32(slotPosition(slot))
    expect(nth < count, `slot ${slot} names item ${nth} of ${count - 1}`)
    while (nth > 0) {
      const item: IndexItem = { hash: 0, position: 0, seconds: 0, previous: 0 }
      readItem(item, view, itemPosition(INDEX_FORMAT, nth))
      const isRight = item.hash % INDEX_FORMAT.slots === slot && item.previous < nth
      expect(isRight, `item ${nth} in the chain of slot ${slot} is ${JSON.stringify(item)}`)
      met.push(item)
      nth = item.previous
    }
  }
  return met
}

function hashesOf(record: StoredRecord): number[] {
  const { topic } = QUEUES[record.row]!
  return keysOf(record.offset).map((key) => keyHash(topic, key))
}

function sameHashes(some: readonly number[], others: readonly number[]): boolean {
  const ordered = [some, others].map((hashes) => hashes.toSorted((a, b) => a - b).join())
  return ordered[0] === ordered[1]
}
