import { describe, expect, test } from 'vitest'
import {
  ConsumeQueue,
  readUnit,
  UNIT_LENGTH,
  writeUnit,
  type Unit,
} from '../../src/store/consume-queue.ts'
import { DescriptorCache } from '../../src/store/descriptor-cache.ts'
import { QueueTail, UnitBuffers } from '../../src/store/queue-tail.ts'
import { Random } from '../sim/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'

const PER_FILE = 5
const DIRECTORY = '/store/consumequeue/Topic/0'

function open(disk = new SimulatedDisk(new Random(1))) {
  disk.makeDirectory('/store')
  const descriptors = new DescriptorCache(disk, { max: 2 })
  const options = { fileSize: PER_FILE * UNIT_LENGTH, disk, descriptors }
  return { disk, descriptors, queue: new ConsumeQueue(DIRECTORY, options) }
}

function unitOf(nth: number): Unit {
  return {
    position: 2 ** 40 + nth,
    length: 100 + nth,
    tagsCode: nth % 2 === 0 ? -nth - 1 : 2 ** 41 + nth,
  }
}

function encode(from: number, count: number): Buffer {
  const bytes = Buffer.alloc(count * UNIT_LENGTH)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let nth = 0; nth < count; nth++) writeUnit(view, nth * UNIT_LENGTH, unitOf(from + nth))
  return bytes
}

function read(queue: ConsumeQueue, offset: number, count: number): Unit[] {
  const bytes = Buffer.alloc(count * UNIT_LENGTH)
  const found = queue.read(offset, count, bytes)
  return Array.from({ length: found }, (_, nth) => {
    const unit = { position: 0, length: 0, tagsCode: 0 }
    readUnit(unit, new DataView(bytes.buffer, bytes.byteOffset), nth * UNIT_LENGTH)
    return unit
  })
}

function units(from: number, count: number): Unit[] {
  return Array.from({ length: count }, (_, nth) => unitOf(from + nth))
}

describe('a consume queue', () => {
  test('reads what was written, file by file', () => {
    const { queue } = open()
    queue.write(3, encode(3, 9), 9)
    expect(read(queue, 3, 9)).toEqual(units(3, 2)) // up to the end of the file
    expect(read(queue, 5, 5)).toEqual(units(5, 5))
    expect(read(queue, 10, 2)).toEqual(units(10, 2))
  })

  test('has files of full length, named by their first byte', () => {
    const { queue, disk } = open()
    queue.write(3, encode(3, 9), 9)
    expect(disk.list(DIRECTORY).map(({ name }) => name)).toEqual([
      '00000000000000000000',
      '00000000000000000100',
      '00000000000000000200',
    ])
    for (const { name } of disk.list(DIRECTORY)) {
      expect(disk.readFile(`${DIRECTORY}/${name}`).length).toBe(100)
    }
  })

  test('reads nothing from a file that is gone, or was never there', () => {
    const { queue, disk, descriptors } = open()
    expect(read(queue, 0, 1)).toEqual([])
    queue.write(0, encode(0, 7), 7)
    descriptors.closeAll()
    disk.remove(`${DIRECTORY}/00000000000000000000`)
    expect(read(queue, 0, 5)).toEqual([])
    expect(read(queue, 5, 2)).toEqual(units(5, 2))
  })

  test('knows where the file behind an offset begins', () => {
    const { queue } = open()
    expect([0, 4, 5, 12].map((offset) => queue.nextFile(offset))).toEqual([5, 5, 10, 15])
  })

  test('closes what lies below an offset, also what was opened behind an earlier one', () => {
    const disk = new SimulatedDisk(new Random(1))
    const descriptors = new DescriptorCache(disk, { max: 8 })
    const queue = new ConsumeQueue(DIRECTORY, { fileSize: 200, disk, descriptors })
    for (const offset of [0, 10, 20]) queue.write(offset, encode(offset, 1), 1)
    queue.closeBelow(12)
    expect(disk.openCount).toBe(2)
    queue.write(21, encode(21, 1), 1)
    queue.closeBelow(20)
    expect(disk.openCount).toBe(1)
    expect(read(queue, 5, 1).length).toBe(1) // opened once more, below what was closed
    queue.closeBelow(20)
    expect(disk.openCount).toBe(1)
  })

  test('can be made durable over several files', () => {
    const { queue, disk } = open()
    queue.write(0, encode(0, 12), 12)
    disk.syncDirectory(DIRECTORY)
    queue.sync(0, 11)
    disk.losePower()
    expect(read(open(disk).queue, 5, 5)).toEqual(units(5, 5))
  })
})

describe('the tail of a queue', () => {
  test('writes in lots and at a flush, whatever came in between', () => {
    const { queue } = open()
    const tail = new QueueTail(0, queue, 7, new UnitBuffers())
    for (let nth = 7; nth < 600; nth++) {
      const { position, length, tagsCode } = unitOf(nth)
      tail.add(position, length, tagsCode)
      if (nth % 97 === 0) tail.flush()
    }
    tail.flush()
    tail.flush()
    expect(tail.next).toBe(600)
    for (let nth = 7; nth < 600; nth++) expect(read(queue, nth, 1)).toEqual([unitOf(nth)])
  })

  test('keeps what the disk refused, and writes it the next time', () => {
    const { queue, disk } = open()
    const tail = new QueueTail(0, queue, 0, new UnitBuffers())
    tail.add(1, 2, 3)
    disk.refusal = { code: 'ENOSPC', path: 'consumequeue' }
    expect(() => tail.flush()).toThrow('ENOSPC')
    disk.refusal = null
    tail.flush()
    expect(read(queue, 0, 1)).toEqual([{ position: 1, length: 2, tagsCode: 3 }])
  })
})

describe('a cache of descriptors', () => {
  test('keeps no more open than it may, and opens again what it closed', () => {
    const { queue, disk } = open()
    queue.write(0, encode(0, 40), 40)
    expect(disk.openCount).toBe(2)
    for (const nth of [0, 39, 17, 5, 0]) expect(read(queue, nth, 1)).toEqual([unitOf(nth)])
    expect(disk.openCount).toBe(2)
  })

  test('closes the files of one folder, not of those whose names begin alike', () => {
    const disk = new SimulatedDisk(new Random(1))
    for (const path of ['/a/1', '/a/10']) disk.makeDirectory(path)
    const descriptors = new DescriptorCache(disk, { max: 8 })
    for (const path of ['/a/1/x', '/a/10/x']) {
      disk.close(disk.create(path))
      descriptors.get(path)
    }
    descriptors.closeUnder('/a/1')
    expect(disk.openCount).toBe(1)
    descriptors.get('/a/10/x')
    expect(disk.openCount).toBe(1)
    descriptors.closeAll()
    expect(disk.openCount).toBe(0)
  })
})
