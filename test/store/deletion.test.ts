import { describe, expect, test } from 'vitest'
import { logFileName } from '../../src/store/log-files.ts'
import { Fault } from '../../src/store/log-memory.ts'
import { diskError } from '../sim/sim-disk.ts'
import {
  diskOf,
  FILE,
  fill,
  fillDisk,
  filesOn,
  FOUR,
  logFilesOn,
  maxOf,
  minOf,
  rigOn,
  ROOT,
} from '../support/retention-rig.ts'
import type { SimulatedDisk } from '../support/simulated-disk.ts'
import { StoreRig } from '../support/store-rig.ts'

/** The disk refuses each of these calls until what is returned is called. */
function refuse(disk: SimulatedDisk, call: 'remove' | 'usage', code: string): () => void {
  const allowed = disk[call]
  disk[call] = () => {
    throw diskError(code)
  }
  return () => void Object.assign(disk, { [call]: allowed })
}

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
    const allow = refuse(disk, 'remove', 'EPERM')
    rig.retention.lookSoon()
    rig.pass(119_000)
    expect(rig.news).toEqual([{ kind: 'notDeleted', error: 'EPERM: simulated' }])
    allow()
    rig.pass(3000)
    expect(logFilesOn(disk)[0]).toBeGreaterThan(0)
  })

  test('of which the disk does not even say how full it is, is tried again with the next look', () => {
    const disk = diskOf()
    const rig = rigOn(disk)
    fill(rig, 3)
    fillDisk(disk, 99)
    const allow = refuse(disk, 'usage', 'EIO')
    rig.retention.lookSoon()
    while (rig.flush() > 0) continue
    expect(rig.news).toEqual([{ kind: 'notDeleted', error: 'EIO: simulated' }])
    expect(rig.flushAgent.idleMs()).toBeGreaterThan(9000)
    allow()
    rig.pass(140_000)
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
    rig.append({ topic: 'New', queueId: 1 }) // by it the start knows that the log ends as it did
    rig.settle()
    rig.stop()
    disk.remove(`${ROOT}/consumequeue/New/0`)
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
