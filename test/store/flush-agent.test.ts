import { describe, expect, test } from 'vitest'
import { readCheckpoint } from '../../src/store/checkpoint.ts'
import { AppendStatus } from '../../src/store/log-appender.ts'
import { Fault, Thread } from '../../src/store/log-memory.ts'
import { Random } from '../sim/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { StoreRig, type RigOptions } from '../support/store-rig.ts'

const START = 1_700_000_000_000

function rigOn(options: Partial<RigOptions> = {}): { rig: StoreRig; disk: SimulatedDisk } {
  const disk = (options.disk as SimulatedDisk | undefined) ?? new SimulatedDisk(new Random(1))
  const rig = new StoreRig({ root: '/store', ...options, disk })
  rig.createTopic('Topic', 1)
  return { rig, disk }
}

test('flushed follows written, over the ends of files', () => {
  const { rig } = rigOn()
  for (let nth = 0; nth < 100; nth++) {
    rig.append({})
    rig.write()
    if (nth % 7 === 0) rig.flush()
    expect(rig.shared.flushed.value()).toBeLessThanOrEqual(rig.shared.written.value())
  }
  rig.flush()
  expect(rig.shared.flushed.value()).toBe(rig.shared.written.value())
})

test('what is flushed survives a power failure', () => {
  for (let seed = 0; seed < 20; seed++) {
    const { rig, disk } = rigOn({ disk: new SimulatedDisk(new Random(seed)) })
    const send = () => {
      rig.append({})
      rig.write()
    }
    for (let nth = 0; nth < 60; nth++) send()
    rig.flush()
    const flushed = rig.shared.flushed.value()
    for (let nth = 0; nth < 5; nth++) send()
    disk.losePower()
    expect(rigOn({ disk }).rig.recovered.end).toBeGreaterThanOrEqual(flushed)
  }
})

test('a file is ready before the one before it is full', () => {
  const { rig } = rigOn()
  for (let nth = 0; nth < 200; nth++) {
    rig.append({})
    expect(rig.lastStatus).toBe(AppendStatus.OK)
    rig.write()
    rig.flush()
    expect(rig.shared.created.value()).toBeGreaterThan(rig.shared.appended.value())
  }
})

describe('the checkpoint', () => {
  test('tells of what is flushed, and of dispatches that are a minute old', () => {
    const { rig, disk } = rigOn()
    const at = () => readCheckpoint(disk, '/store')
    const send = (afterMs: number) => {
      rig.clock.time += afterMs
      rig.append({})
      rig.settle()
    }
    send(0)
    expect(at()).toMatchObject({ physic: START, logics: 0 })
    send(30_000)
    expect(at()).toMatchObject({ physic: START + 30_000, logics: 0 })
    send(30_000)
    expect(at()).toMatchObject({ physic: START + 60_000, logics: 0 })
    send(60_000)
    expect(at().logics).toBe(START + 30_000) // sampled a minute ago, before that flush's own dispatch
  })

  test('is written with SYNC_FLUSH, too, but at most every second', () => {
    const { rig, disk } = rigOn({ isSyncFlush: true })
    rig.append({})
    rig.settle()
    expect(readCheckpoint(disk, '/store').physic).toBe(START)
    for (const [ms, physic] of [
      [999, START],
      [1, START + 1000],
    ] as const) {
      rig.clock.time += ms
      rig.append({})
      rig.settle()
      expect(readCheckpoint(disk, '/store').physic).toBe(physic)
    }
  })

  test('of the last run stays until there is a newer one', () => {
    const { rig, disk } = rigOn()
    for (const ms of [0, 60_000, 60_000]) {
      rig.clock.time += ms
      rig.append({})
      rig.settle()
    }
    const before = readCheckpoint(disk, '/store')
    expect(before.logics).toBeGreaterThan(0)
    disk.kill()
    const { rig: again } = rigOn({ disk })
    again.clock.time = rig.clock.time + 10
    again.append({})
    again.settle()
    expect(readCheckpoint(disk, '/store').logics).toBe(before.logics)
  })

  test('that is ahead of the log is not kept', () => {
    const { rig, disk } = rigOn()
    rig.append({})
    rig.settle()
    disk.kill()
    const descriptor = disk.create('/store/checkpoint')
    disk.pwrite(descriptor, { buffer: Buffer.alloc(40, 0x11), offset: 0, length: 40, position: 0 })
    const { rig: again } = rigOn({ disk })
    again.append({})
    again.settle()
    expect(readCheckpoint(disk, '/store').logics).toBeLessThanOrEqual(START)
  })

  test('tells the time of the index that dispatch has set back while it was being written', () => {
    const { rig, disk } = rigOn()
    rig.shared.indexDurable.publish(START)
    rig.append({})
    rig.write()
    const fdatasync = disk.fdatasync.bind(disk)
    disk.fdatasync = (descriptor) => {
      fdatasync(descriptor)
      if (readCheckpoint(disk, '/store').index === START) rig.shared.indexDurable.publish(7)
    }
    rig.flush()
    expect(readCheckpoint(disk, '/store').index).toBe(7)
  })

  test('that cannot be written stops nothing', () => {
    const { rig, disk } = rigOn()
    disk.refusal = { code: 'ENOSPC', path: 'checkpoint' }
    rig.append({})
    rig.settle()
    expect(rig.shared.flushed.value()).toBe(rig.shared.appended.value())
    expect(rig.shared.fault()).toBe(Fault.NONE)
  })
})

describe('when the disk', () => {
  test('fails to sync, nothing is flushed any more until a restart', () => {
    const { rig, disk } = rigOn()
    rig.append({})
    rig.settle()
    const flushed = rig.shared.flushed.value()
    disk.refusal = { code: 'EIO', path: 'commitlog' }
    rig.append({})
    disk.refusal = null
    rig.write()
    disk.refusal = { code: 'EIO', path: 'commitlog' }
    rig.flush()
    expect(rig.shared.fault()).toBe(Fault.FENCED)
    disk.refusal = null // Linux would now say that the next sync is fine
    rig.flush()
    expect(rig.shared.flushed.value()).toBe(flushed)
    expect(rig.flushAgent.idleMs()).toBe(Infinity)
  })

  test('is full, what waits is written as soon as there is space', () => {
    const { rig, disk } = rigOn()
    disk.refusal = { code: 'ENOSPC', path: 'commitlog' }
    rig.append({ body: 'waits' })
    expect(rig.write()).toBe(false)
    expect(rig.shared.fault()).toBe(Fault.NO_SPACE)
    expect(rig.flushAgent.idleMs()).toBeLessThan(1000)
    rig.flush()
    expect(rig.shared.fault()).toBe(Fault.NO_SPACE)
    disk.refusal = null
    rig.flush()
    expect(rig.shared.fault()).toBe(Fault.NONE)
    rig.settle()
    expect(rig.readAll('Topic', 0).length).toBe(1)
  })

  test('has no space for the next file, sends are refused until it has', () => {
    const { rig, disk } = rigOn()
    disk.refusal = { code: 'ENOSPC', path: '00000000000000008192' }
    while (rig.shared.appended.value() < 4096) {
      rig.append({})
      rig.write()
    }
    rig.flush()
    expect(rig.shared.fault()).toBe(Fault.NO_SPACE)
    expect(rig.flushAgent.idleMs()).toBeLessThan(1000)
    const wakes = () => [Thread.MAIN, Thread.DISPATCH].map((at) => rig.shared.signalOf(at).seen())
    const before = wakes()
    rig.flush()
    expect(wakes()).toEqual(before) // nobody waits for a write
    disk.refusal = null
    rig.flush()
    expect(rig.shared.fault()).toBe(Fault.NONE)
    expect(rig.shared.created.value()).toBe(3 * 4096)
  })
})
