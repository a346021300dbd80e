import { expect, test } from 'vitest'
import {
  INDEX_HEADER_LENGTH,
  indexFileSize,
  itemPosition,
  writeIndexHeader,
} from '../../src/store/index-file.ts'
import { dropDistrusted, listIndexFiles } from '../../src/store/index-files.ts'
import { StopKind } from '../../src/store/last-stop.ts'
import { simulated, SMALL_INDEX } from '../support/index-rig.ts'

const DIRECTORY = '/store/index'
const NAME = '20260101000000000'
const COUNT = 3

/** A file whose header counts two items; what stands behind them is full of ones. */
function fileOn(count: number) {
  const disk = simulated()
  disk.makeDirectory(DIRECTORY)
  const bytes = Buffer.alloc(indexFileSize(SMALL_INDEX), 1)
  const times = { beginTimestamp: 100, endTimestamp: 200 }
  const positions = { beginPosition: 0, endPosition: 500 }
  const header = { ...times, ...positions, usedSlots: 1, count }
  writeIndexHeader(bytes.subarray(0, INDEX_HEADER_LENGTH), header)
  disk.writeFile(`${DIRECTORY}/${NAME}`, bytes)
  const drop = (kind: StopKind) =>
    dropDistrusted(disk, {
      root: '/store',
      directory: DIRECTORY,
      format: SMALL_INDEX,
      kind,
      durableTimestamp: 200,
      end: 10_000,
    })
  return { disk, bytes, drop }
}

test('a loss of power leaves nothing behind the items that the header counts', () => {
  const { disk, bytes, drop } = fileOn(COUNT)
  expect(drop(StopKind.UNKNOWN)).toBe(0)
  const left = disk.readFile(`${DIRECTORY}/${NAME}`)
  const end = itemPosition(SMALL_INDEX, COUNT)
  expect(left.subarray(0, end)).toEqual(bytes.subarray(0, end))
  expect(left.subarray(end)).toEqual(Buffer.alloc(bytes.length - end))
})

test('a kill leaves everything: the items behind are taken up', () => {
  const { disk, bytes, drop } = fileOn(COUNT)
  expect(drop(StopKind.KILLED)).toBe(0)
  expect(disk.readFile(`${DIRECTORY}/${NAME}`)).toEqual(bytes)
})

test('after a loss of power a file without an item is made anew', () => {
  const { disk, drop } = fileOn(1)
  expect(drop(StopKind.UNKNOWN)).toBe(1)
  expect(listIndexFiles(disk, DIRECTORY)).toEqual([])
})
