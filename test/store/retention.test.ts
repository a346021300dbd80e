import { describe, expect, test } from 'vitest'
import { logFileName } from '../../src/store/log-files.ts'
import { Fault, RetentionAsk, Shortage } from '../../src/store/log-memory.ts'
import type { RetentionOptions } from '../../src/store/retention.ts'
import { Random } from '../sim/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { StoreRig } from '../support/store-rig.ts'

const FILE = 4096
const HOUR = 3_600_000
const NOON = new Date(2026, 2, 10, 12, 30).getTime()
const FOUR = new Date(2026, 2, 20, 4, 30).getTime()
const ROOT = '/store'

function diskOf(seed = 1): SimulatedDisk {
  return new SimulatedDisk(new Random(seed))
}

function rigOn(disk: SimulatedDisk, retention: Partial<RetentionOptions> = {}): StoreRig {
  const rig = new StoreRig({ root: ROOT, disk, retention })
  rig.clock.time = NOON
  for (const topic of ['Old', 'New']) rig.createTopic(topic, 2)
  return rig
}

/** Messages until `files` more log files are full and one is begun. */
function fill(rig: StoreRig, files: number, topic = 'New'): void {
  const { appended } = rig.shared
  const end = Math.ceil((appended.value() + 1) / FILE) * FILE + (files - 1) * FILE
  while (appended.value() <= end) {
    rig.append({ topic, body: 'b'.repeat(300) })
    rig.settle()
  }
}

function logFilesOn(disk: SimulatedDisk): number[] {
  return filesOn(disk, `${ROOT}/commitlog`)
}

function filesOn(disk: SimulatedDisk, directory: string): number[] {
  const names = disk.list(directory).filter(({ isDirectory }) => !isDirectory)
  return names.map(({ name }) => Number(name)).toSorted((a, b) => a - b)
}

function minOf(rig: StoreRig, topic: string): number {
  return rig.shared.rows.min(rig.row(topic, 0))
}

function maxOf(rig: StoreRig, topic: string): number {
  return rig.shared.rows.max(rig.row(topic, 0))
}

/** Percent of the disk in use, whatever the store takes. */
function fillDisk(disk: SimulatedDisk, percent: number): void {
  disk.usage = () => ({ used: percent, usable: 100 - percent })
}

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

  test('what was not flushed or not dispatched stays', () => {
    for (const follow of ['flush', 'dispatch'] as const) {
      const disk = diskOf()
      const rig = rigOn(disk)
      fill(rig, 1)
      const limit = rig.shared.appended.value() - (rig.shared.appended.value() % FILE)
      if (follow === 'flush') disk.fdatasync = () => {}
      for (let nth = 0; nth < 20; nth++) {
        rig.append({ topic: 'New', body: 'b'.repeat(300) })
        rig.write()
        while (rig.flush() > 0) continue
      }
      fillDisk(disk, 99)
      rig.pass(60_000)
      expect(logFilesOn(disk)[0]).toBe(limit)
    }
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

describe('a deletion', () => {
  test('moves the position, then each min, then waits for all threads, then takes the files', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fill(rig, 3)
    fillDisk(disk, 99)
    rig.retention.lookSoon()
    while (rig.flush() > 0) continue
    expect(rig.shared.minPosition.value()).toBe(FILE)
    expect(rig.shared.deletable.value()).toBe(FILE)
    const first = rig.readAll('New', 0)[0]!
    expect(Number(first.readBigInt64BE(28))).toBe(FILE) // its position in the log
    expect(logFilesOn(disk)[0]).toBe(0)
    rig.elapsed.time += 1000
    while (rig.flush() > 0) continue
    expect(logFilesOn(disk)[0]).toBe(0)
    rig.closeDeletable()
    rig.elapsed.time += 1000
    while (rig.flush() > 0) continue
    expect(logFilesOn(disk)[0]).toBe(FILE)
  })

  test('waits no longer for a thread than destroyMapedFileIntervalForcibly', () => {
    const disk = diskOf()
    const rig = rigOn(disk, { destroyMapedFileIntervalForcibly: 5000 })
    fill(rig, 3)
    fillDisk(disk, 99)
    const turns = () => {
      while (rig.flush() > 0) continue
    }
    rig.retention.lookSoon()
    turns()
    rig.elapsed.time += 4999
    turns()
    expect(logFilesOn(disk)[0]).toBe(0)
    rig.elapsed.time += 5000
    turns()
    expect(logFilesOn(disk)[0]).toBe(FILE)
  })

  test('takes one file per pause, and no more than deleteFileBatchMax at one look', () => {
    const disk = diskOf()
    const rig = rigOn(disk, { deleteCommitLogFilesInterval: 700, deleteFileBatchMax: 3 })
    fill(rig, 5)
    rig.clock.time = FOUR
    rig.retention.lookSoon()
    const firsts: number[] = []
    for (let nth = 0; nth < 12; nth++) {
      rig.pass(350)
      firsts.push(logFilesOn(disk)[0]! / FILE)
    }
    for (const [nth, first] of firsts.slice(1).entries()) {
      expect(first - firsts[nth]!).toBeLessThanOrEqual(1)
    }
    expect(firsts.at(-1)).toBe(5)
  })

  test('that the disk refuses is told, and tried again after redeleteHangedFileInterval', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fill(rig, 3)
    fillDisk(disk, 99)
    const remove = disk.remove.bind(disk)
    disk.remove = () => {
      throw Object.assign(new Error('EPERM: no'), { code: 'EPERM', errno: -1 })
    }
    rig.retention.lookSoon()
    rig.pass(119_000)
    expect(rig.news).toEqual([{ kind: 'notDeleted', error: 'EPERM: no' }])
    disk.remove = remove
    rig.pass(3000)
    expect(logFilesOn(disk)[0]).toBeGreaterThan(0)
  })

  test('begins only when all queues are known', () => {
    const disk = diskOf()
    const rig = new StoreRig({ root: ROOT, disk })
    rig.createTopic('New', 1)
    fill(rig, 3)
    fillDisk(disk, 99)
    rig.pass(60_000)
    expect(logFilesOn(disk)[0]).toBe(0)
    expect(rig.retention.idleMs()).toBe(Infinity)
  })

  test('looks every cleanResourceInterval while there is nothing to do', () => {
    const rig = rigOn(diskOf())
    rig.pass(1)
    expect(rig.flushAgent.idleMs()).toBeGreaterThan(9000)
  })
})

describe('a queue whose messages are all gone', () => {
  test.each(['stop', 'kill', 'losePower'] as const)('keeps its offsets over %s', (how) => {
    for (let seed = 1; seed <= 10; seed++) {
      const disk = diskOf(seed)
      const rig = rigOn(disk)
      for (let nth = 0; nth < 25; nth++) rig.append({ topic: 'Old' })
      rig.settle()
      fill(rig, 3)
      fillDisk(disk, 99)
      rig.pass(60_000)
      expect([minOf(rig, 'Old'), maxOf(rig, 'Old')]).toEqual([25, 25])
      if (how === 'stop') rig.stop()
      else disk[how]()
      const boot = how === 'losePower' ? 'another' : 'first-boot'
      const again = new StoreRig({ root: ROOT, disk, boot })
      again.createTopic('Old', 2)
      expect([minOf(again, 'Old'), maxOf(again, 'Old')]).toEqual([25, 25])
      expect(again.shared.rows.next(again.row('Old', 0))).toBe(25)
    }
  })

  test('keeps them when another queue has lost its folder', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    for (let nth = 0; nth < 25; nth++) rig.append({ topic: 'Old' })
    rig.settle()
    fill(rig, 3)
    fillDisk(disk, 99)
    rig.pass(60_000)
    rig.stop()
    disk.remove(`${ROOT}/consumequeue/New`)
    const { queues } = new StoreRig({ root: ROOT, disk }).recovered
    expect(queues.find(({ topic, queueId }) => topic === 'Old' && queueId === 0)).toMatchObject({
      min: 25,
      next: 25,
    })
  })
})

describe('after the log', () => {
  test('queue files go that hold nothing else, but never the last of a queue', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    for (let nth = 0; nth < 30; nth++) rig.append({ topic: 'Old' }) // 10 entries in a file
    rig.settle()
    fill(rig, 6)
    fillDisk(disk, 99)
    rig.pass(60_000)
    expect(filesOn(disk, `${ROOT}/consumequeue/Old/0`)).toEqual([400])
    const min = minOf(rig, 'New')
    expect(filesOn(disk, `${ROOT}/consumequeue/New/0`)[0]).toBe(Math.floor(min / 10) * 200)
    rig.append({ topic: 'Old' })
    rig.settle()
    expect(rig.readAll('Old', 0).length).toBe(1)
  })

  test('a topic that was deleted and made anew keeps its files', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    for (let nth = 0; nth < 60; nth++) rig.append({ topic: 'Old' })
    rig.settle()
    fill(rig, 3)
    rig.pass(20_000)
    rig.deleteTopic('Old')
    rig.dispatch()
    rig.removeFiles('Old')
    rig.createTopic('Old', 2)
    for (let nth = 0; nth < 35; nth++) rig.append({ topic: 'Old' })
    rig.settle()
    fillDisk(disk, 99)
    rig.pass(60_000)
    const all = maxOf(rig, 'Old') - minOf(rig, 'Old')
    expect(rig.readAll('Old', 0).filter(({ length }) => length > 0).length).toBe(all)
  })

  test('index files go that end below it, but not the newest and none without a header', () => {
    const disk = diskOf()
    disk.makeDirectory(`${ROOT}/index`)
    const index = (name: string, end: number) => {
      const header = Buffer.alloc(40)
      header.writeBigInt64BE(BigInt(end), 24)
      disk.writeFile(`${ROOT}/index/${name}`, header)
    }
    index('20260301000000000', FILE)
    index('20260302000000000', 0)
    index('20260303000000000', 3 * FILE - 1)
    index('20260304000000000', 3 * FILE)
    index('20260305000000000', 1)
    const rig = rigOn(disk)
    fill(rig, 3)
    fillDisk(disk, 99)
    rig.pass(60_000)
    expect(rig.shared.minPosition.value()).toBe(3 * FILE)
    expect(disk.list(`${ROOT}/index`).map(({ name }) => name.slice(6, 8))).toEqual([
      '02',
      '04',
      '05',
    ])
  })
})

describe('when there is no space', () => {
  test('for a write, the oldest file goes at once', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fill(rig, 3)
    rig.pass(5000) // the next look is far away
    disk.refusal = { code: 'ENOSPC', path: 'commitlog' }
    fillDisk(disk, 100)
    rig.append({ topic: 'New', body: 'waits' })
    expect(rig.write()).toBe(false)
    rig.pass(500)
    expect(logFilesOn(disk)[0]).toBeGreaterThan(0)
    disk.refusal = null
    fillDisk(disk, 50)
    rig.pass(1500)
    expect(rig.shared.refusal()).toBe(0)
    rig.settle()
    expect(rig.readAll('New', 0).at(-1)!.toString('latin1')).toContain('waits')
  })

  test('for the next file, a write that succeeds does not end it', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    disk.refusal = { code: 'ENOSPC', path: logFileName(2 * FILE) }
    while (rig.shared.appended.value() < FILE) {
      rig.append({ topic: 'New' })
      rig.write()
    }
    rig.flush()
    expect(rig.shared.fault()).toBe(Fault.NO_SPACE)
    rig.append({ topic: 'New' })
    expect(rig.write()).toBe(true)
    expect(rig.shared.fault()).toBe(Fault.NO_SPACE)
    disk.refusal = null
    rig.flush()
    expect(rig.shared.fault()).toBe(Fault.NONE)
  })

  test('but only for descriptors, or by a quota, nothing is deleted', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fill(rig, 3)
    rig.shared.setFault(Fault.NO_SPACE)
    fillDisk(disk, 60)
    for (let nth = 0; nth < 20; nth++) {
      rig.shared.setFault(Fault.NO_SPACE)
      rig.pass(500)
    }
    expect(logFilesOn(disk)[0]).toBe(0)
  })
})
