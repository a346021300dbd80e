/** The small files beside the log: checkpoint, deleted topics, and how the last run stopped. */
import { describe, expect, test } from 'vitest'
import { Checkpoint, NO_TIMES, readCheckpoint } from '../../src/store/checkpoint.ts'
import { DeletedTopics } from '../../src/store/deleted-topics.ts'
import {
  beginRecovery,
  beginRun,
  endRun,
  readLastStop,
  StopKind,
} from '../../src/store/last-stop.ts'
import { Random } from '../sim/random.ts'
import { PowerFailure, SimulatedDisk } from '../support/simulated-disk.ts'

const ROOT = '/store'
const STOP = { end: 10, timestamp: 20, queues: 1, entries: 2, boot: 'one' }

function diskOf(seed = 1): SimulatedDisk {
  const disk = new SimulatedDisk(new Random(seed))
  disk.makeDirectory(ROOT)
  return disk
}

describe('the checkpoint', () => {
  test('is read as it was written, in Apache’s places', () => {
    const disk = diskOf()
    const times = { physic: 2 ** 41, logics: 2, index: 3, masterFlushed: 4, confirmed: 5 }
    const checkpoint = new Checkpoint(disk, ROOT)
    checkpoint.write(times)
    checkpoint.close()
    expect(readCheckpoint(disk, ROOT)).toEqual(times)
    const bytes = disk.readFile(`${ROOT}/checkpoint`)
    expect(bytes.length).toBe(4096)
    expect([0, 8, 16, 24, 32].map((at) => Number(bytes.readBigInt64BE(at)))).toEqual(
      Object.values(times),
    )
  })

  test('that is missing or short says nothing', () => {
    const disk = diskOf()
    expect(readCheckpoint(disk, ROOT)).toEqual(NO_TIMES)
    disk.writeFile(`${ROOT}/checkpoint`, Buffer.alloc(39, 1))
    expect(readCheckpoint(disk, ROOT)).toEqual(NO_TIMES)
  })
})

describe('deleted topics', () => {
  test('are there again after a restart, the last deletion of each', () => {
    const disk = diskOf()
    const deleted = new DeletedTopics(disk, ROOT)
    deleted.add('A', 5)
    deleted.add('%RETRY%with space', 7)
    deleted.add('A', 9)
    disk.losePower()
    const pairs = [...new DeletedTopics(disk, ROOT).below]
    expect(pairs).toEqual([
      ['A', 9],
      ['%RETRY%with space', 7],
    ])
  })

  test('are forgotten with the files that hold their messages', () => {
    const disk = diskOf()
    const deleted = new DeletedTopics(disk, ROOT)
    for (const [topic, position] of [
      ['A', 5],
      ['B', 50],
      ['C', 500],
    ] as const)
      deleted.add(topic, position)
    deleted.keepWithin({ minPosition: 10, end: 100 })
    const expected = [
      ['B', 50],
      ['C', 100], // the log has become shorter: what comes from there on is new
    ]
    expect([...deleted.below]).toEqual(expected)
    expect([...new DeletedTopics(disk, ROOT).below]).toEqual(expected)
  })

  test('are the old ones or the new ones, wherever a change is broken off', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const disk = diskOf(seed)
      const deleted = new DeletedTopics(disk, ROOT)
      for (const topic of ['Topic', 'Topics', 'T']) deleted.add(topic, 100)
      const before = [...deleted.below]
      disk.failAt = disk.changes + (seed % 8)
      let isDone = true
      try {
        deleted.keepWithin({ minPosition: 0, end: 7 })
      } catch (error) {
        expect(error).toBeInstanceOf(PowerFailure)
        isDone = false
      }
      if (seed % 2 === 0) disk.kill()
      else disk.losePower()
      const found = [...new DeletedTopics(disk, ROOT).below]
      const after = before.map(([topic]) => [topic, 7])
      if (isDone) expect(found).toEqual(after)
      else expect([before, after]).toContainEqual(found)
    }
  })
})

describe('how the last run stopped', () => {
  test.each([
    ['a store that is new', () => {}, StopKind.CLEAN, null],
    ['a clean stop', (disk: SimulatedDisk) => stop(disk), StopKind.CLEAN, { end: 10 }],
    ['a kill', (disk: SimulatedDisk) => beginRun(disk, ROOT, 'one'), StopKind.KILLED, null],
    [
      'a power failure',
      (disk: SimulatedDisk) => beginRun(disk, ROOT, 'zero'),
      StopKind.UNKNOWN,
      null,
    ],
    [
      'a crash of Apache’s',
      (disk: SimulatedDisk) => disk.writeFile(`${ROOT}/abort`, Buffer.from('1')),
      StopKind.UNKNOWN,
      null,
    ],
    [
      'a recovery that was broken off',
      (disk: SimulatedDisk) => beginRecovery(disk, ROOT),
      StopKind.UNKNOWN,
      null,
    ],
    [
      'a clean stop before the machine was off',
      (disk: SimulatedDisk) => endRun(disk, ROOT, { ...STOP, boot: 'zero' }),
      StopKind.UNKNOWN,
      null,
    ],
  ])('is seen after %s', (_, happen, kind, clean) => {
    const disk = diskOf()
    happen(disk)
    const last = readLastStop(disk, ROOT, 'one')
    expect(last.kind).toBe(kind)
    if (clean === null) expect(last.clean).toBe(null)
    else expect(last.clean).toMatchObject(clean)
  })

  function stop(disk: SimulatedDisk): void {
    beginRun(disk, ROOT, 'one')
    endRun(disk, ROOT, STOP)
  }

  test('is not taken for clean before the run has ended, even after a power failure', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const disk = diskOf(seed)
      stop(disk)
      beginRun(disk, ROOT, 'one')
      disk.losePower()
      expect(readLastStop(disk, ROOT, 'two').kind).toBe(StopKind.UNKNOWN)
    }
  })

  test('keeps what an unfinished recovery must know', () => {
    const disk = diskOf()
    beginRun(disk, ROOT, 'one')
    beginRecovery(disk, ROOT)
    expect(readLastStop(disk, ROOT, 'one').kind).toBe(StopKind.KILLED)
  })
})
