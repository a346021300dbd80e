import { describe, expect, test } from 'vitest'
import { logFileName } from '../../src/store/log-files.ts'
import { Fault, RetentionAsk, Shortage } from '../../src/store/log-memory.ts'
import { diskError } from '../sim/sim-disk.ts'
import {
  diskOf,
  FILE,
  fill,
  fillDisk,
  FOUR,
  HOUR,
  logFilesOn,
  maxOf,
  minOf,
  rigOn,
  ROOT,
} from '../support/retention-rig.ts'

describe('by age', () => {
  test('files go in the hour of deleteWhen, and those that are younger stay', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fill(rig, 3)
    rig.clock.time = FOUR - 72 * HOUR + 1
    fill(rig, 2)
    const young = rig.shared.appended.value() - (rig.shared.appended.value() % FILE)
    rig.clock.time = FOUR
    rig.pass(60_000)
    expect(logFilesOn(disk)[0]).toBe(3 * FILE)
    expect(rig.shared.minPosition.value()).toBe(3 * FILE)
    rig.clock.time = FOUR + 2
    rig.pass(60_000)
    expect(logFilesOn(disk)[0]).toBe(young)
    expect(rig.news).toContainEqual({
      kind: 'deleted',
      path: `${ROOT}/commitlog/${logFileName(0)}`,
      reason: 'age',
      percent: 1,
    })
  })

  test('they stay at another hour, unless the disk is fuller than diskMaxUsedSpaceRatio', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fill(rig, 3)
    rig.clock.time = FOUR + 3 * HOUR
    fillDisk(disk, 75)
    rig.pass(60_000)
    expect(logFilesOn(disk)[0]).toBe(0)
    fillDisk(disk, 76)
    rig.pass(60_000)
    expect(logFilesOn(disk)[0]).toBe(3 * FILE)
  })

  test('they go at any hour of a list, and when an administrator asks', () => {
    for (const [deleteWhen, hour, isAsked] of [
      ['01; 07;22', 7, false],
      ['01', 7, true],
    ] as const) {
      const disk = diskOf()
      const rig = rigOn(disk, { deleteWhen })
      fill(rig, 12) // more than go at one look
      rig.clock.time = new Date(2026, 2, 20, hour, 0).getTime()
      if (isAsked) rig.shared.askRetention(RetentionAsk.DELETE_EXPIRED)
      rig.pass(60_000)
      expect(logFilesOn(disk)[0]).toBe(12 * FILE)
    }
  })

  test('a clock that is set back deletes nothing', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fill(rig, 2)
    rig.clock.time = FOUR - 365 * 24 * HOUR
    rig.pass(60_000)
    expect(logFilesOn(disk)[0]).toBe(0)
  })
})

describe('by the fill of the disk', () => {
  test('the oldest go one at a time until it is low enough', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fill(rig, 6)
    rig.pass(20_000)
    disk.capacity = rig.disk.usage('').used / 0.9
    const before = logFilesOn(disk).length
    rig.pass(60_000)
    const after = logFilesOn(disk).length
    const { used } = rig.disk.usage('')
    expect(after).toBeLessThan(before)
    expect(Math.ceil((used * 100) / disk.capacity)).toBeLessThanOrEqual(85)
    expect(Math.ceil(((used + FILE) * 100) / disk.capacity)).toBeGreaterThan(85)
  })

  test('none goes before its time with cleanFileForciblyEnable=false', () => {
    const disk = diskOf()
    const rig = rigOn(disk, { cleanFileForciblyEnable: false })
    fill(rig, 3)
    fillDisk(disk, 99)
    rig.pass(60_000)
    expect(logFilesOn(disk)[0]).toBe(0)
    expect(rig.shared.refusal()).toBe(Shortage.OVER_LEVEL)
  })

  test('sends are refused beyond diskSpaceWarningLevelRatio, and taken again below it', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fillDisk(disk, 90)
    rig.pass(10_000)
    expect(rig.shared.refusal()).toBe(0)
    fillDisk(disk, 91)
    rig.pass(10_000)
    expect(rig.shared.refusal()).toBe(Shortage.OVER_LEVEL)
    expect(rig.shared.fault()).toBe(Fault.NONE) // what is appended is written and flushed as ever
    expect(rig.shared.diskPercent()).toEqual({ log: 91, queues: 91 })
    fillDisk(disk, 40)
    rig.pass(1000)
    expect(rig.shared.refusal()).toBe(0)
  })

  test('a level that is set higher takes the refusal away at once, also after a failed deletion', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fill(rig, 3)
    fillDisk(disk, 95)
    disk.remove = () => {
      throw diskError('EPERM')
    }
    rig.pass(20_000)
    expect(rig.news.map(({ kind }) => kind)).toEqual(['notDeleted'])
    expect(rig.shared.refusal()).toBe(Shortage.OVER_LEVEL)
    rig.changeSettings({ diskSpaceWarningLevelRatio: 96 })
    rig.flush()
    expect(rig.shared.refusal()).toBe(0)
  })

  test('the file that is written stays, even when nothing else is left', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fill(rig, 3)
    fillDisk(disk, 99)
    rig.pass(60_000)
    expect(logFilesOn(disk)).toEqual([3 * FILE, 4 * FILE])
    expect(rig.shared.minPosition.value()).toBe(3 * FILE)
    const { length } = rig.readAll('New', 0)
    expect(length).toBe(maxOf(rig, 'New') - minOf(rig, 'New'))
    expect(length).toBeGreaterThan(0)
  })

  test('what was not dispatched stays', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fill(rig, 1)
    for (let nth = 0; nth < 20; nth++) {
      rig.append({ topic: 'New', body: 'b'.repeat(300) })
      rig.write()
      while (rig.flush() > 0) continue
    }
    fillDisk(disk, 99)
    rig.pass(60_000)
    expect(logFilesOn(disk)[0]).toBe(FILE)
  })

  test('what was dispatched and not flushed stays', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fill(rig, 1)
    fillDisk(disk, 99)
    while (rig.shared.appended.value() < 2.5 * FILE) {
      rig.append({ topic: 'New', body: 'b'.repeat(300) })
      rig.write()
    }
    rig.dispatch()
    for (let nth = 0; nth < 1000; nth++) {
      rig.retention.turn()
      rig.closeDeletable()
      rig.elapsed.time += 20
    }
    expect(logFilesOn(disk)[0]).toBe(FILE)
  })
})

describe('maxStoreBytes', () => {
  test('is never exceeded by the files of the log', () => {
    for (const files of [2, 3, 5]) {
      const disk = diskOf()
      const rig = rigOn(disk, { maxStoreBytes: files * FILE })
      for (let nth = 0; nth < 120; nth++) {
        rig.append({ topic: 'New', body: 'b'.repeat(300) })
        rig.settle()
        rig.pass(1000)
        expect(logFilesOn(disk).length).toBeLessThanOrEqual(files)
      }
      expect(rig.shared.minPosition.value()).toBeGreaterThan(0)
    }
  })

  test('holds nobody up while no file can go', () => {
    const disk = diskOf()
    const rig = rigOn(disk, { maxStoreBytes: 2 * FILE })
    for (let nth = 0; nth < 40; nth++) {
      rig.append({ topic: 'New', body: 'b'.repeat(300) })
      rig.write()
      while (rig.flush() > 0) continue // dispatch is behind
    }
    expect(rig.shared.created.value()).toBeGreaterThan(rig.shared.appended.value())
    expect(logFilesOn(disk)[0]).toBe(0)
  })
})
