import { expect, test } from 'vitest'
import fc from 'fast-check'
import {
  ConsumeQueue,
  PRE_BLANK_LENGTH,
  UNIT_LENGTH,
  writeUnit,
} from '../../src/store/consume-queue.ts'
import { DescriptorCache } from '../../src/store/descriptor-cache.ts'
import { QueueMin } from '../../src/store/queue-min.ts'
import { Random } from '../sim/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'

/** A queue of entries at these positions; null stands for no message. */
function queueOf(positions: readonly (number | null)[]): ConsumeQueue {
  const disk = new SimulatedDisk(new Random(1))
  const descriptors = new DescriptorCache(disk, { max: 4 })
  const queue = new ConsumeQueue('/queue/0', { fileSize: 10 * UNIT_LENGTH, disk, descriptors })
  const units = Buffer.alloc(positions.length * UNIT_LENGTH)
  const view = new DataView(units.buffer, units.byteOffset)
  for (const [nth, position] of positions.entries()) {
    const unit = { position: position ?? 0, length: position === null ? PRE_BLANK_LENGTH : 100 }
    writeUnit(view, nth * UNIT_LENGTH, { ...unit, tagsCode: 0 })
  }
  queue.write(0, units, positions.length)
  return queue
}

function minOf(positions: readonly (number | null)[], minPosition: number, from = 0): number {
  const span = { from, to: positions.length }
  return new QueueMin().find(queueOf(positions), span, minPosition)
}

test('a queue begins at its first message at or above the position', () => {
  const positions = [0, 100, 250, 400]
  for (const [minPosition, offset] of [
    [0, 0],
    [1, 1],
    [100, 1],
    [101, 2],
    [400, 3],
    [401, 4],
  ]) {
    expect(minOf(positions, minPosition!)).toBe(offset)
  }
})

test('entries that stand for no message count as those behind them', () => {
  expect(minOf([null, null, 200, 300], 0)).toBe(2)
  expect(minOf([100, null, null, null, 300, 400], 50)).toBe(0)
  expect(minOf([100, null, null, null, 300, 400], 200)).toBe(4)
  expect(minOf([100, null, null], 200)).toBe(3)
})

test('wherever they are, the search finds what a look at each entry finds', () => {
  const entry = fc.record({ gap: fc.integer({ min: 1, max: 50 }), isBlank: fc.boolean() })
  const entries = fc.array(entry, { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(entries, fc.integer({ min: 0, max: 2000 }), fc.nat(59), (list, minPosition, at) => {
      let end = 0
      const positions = list.map(({ gap, isBlank }) => {
        end += gap
        return isBlank ? null : end
      })
      const from = Math.min(at, positions.length - 1)
      const found = positions.findIndex(
        (position, nth) => nth >= from && position !== null && position >= minPosition,
      )
      expect(minOf(positions, minPosition, from)).toBe(found === -1 ? positions.length : found)
    }),
  )
})

test('entries whose file is gone lie below', () => {
  const disk = new SimulatedDisk(new Random(1))
  const descriptors = new DescriptorCache(disk, { max: 4 })
  const queue = new ConsumeQueue('/queue/0', { fileSize: 10 * UNIT_LENGTH, disk, descriptors })
  const units = Buffer.alloc(30 * UNIT_LENGTH)
  const view = new DataView(units.buffer, units.byteOffset)
  for (let nth = 0; nth < 30; nth++) {
    writeUnit(view, nth * UNIT_LENGTH, { position: 100 * nth, length: 100, tagsCode: 0 })
  }
  queue.write(0, units, 30)
  queue.closeBelow(20)
  disk.remove('/queue/0/00000000000000000000')
  disk.remove('/queue/0/00000000000000000200')
  expect(disk.openCount).toBe(1) // the last one
  expect(new QueueMin().find(queue, { from: 0, to: 30 }, 0)).toBe(20)
})
