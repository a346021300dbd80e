import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Span } from '../../src/base/disk.ts'
import { readCheckpoint } from '../../src/store/checkpoint.ts'
import { INDEX_HEADER_LENGTH, readIndexHeader } from '../../src/store/index-file.ts'
import { Random } from '../sim/random.ts'
import {
  expectKeys,
  type IndexRig,
  rigOn,
  runningOn,
  sendKeys,
  simulated,
  SMALL_INDEX,
} from '../support/index-rig.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'

/** Counts what is read of the log. */
class CountingDisk extends SimulatedDisk {
  logBytes = 0
  readonly #logs = new Set<number>()

  override open(path: string): number {
    const descriptor = super.open(path)
    if (path.includes('/commitlog/')) this.#logs.add(descriptor)
    return descriptor
  }

  override pread(descriptor: number, span: Span): number {
    const read = super.pread(descriptor, span)
    if (this.#logs.has(descriptor)) this.logBytes += read
    return read
  }
}

/** Milliseconds since 1970. */
const START = 1_700_000_000_000
/** Of SMALL_INDEX. */
const SLOTS_END = INDEX_HEADER_LENGTH + 4 * SMALL_INDEX.slots
const FORMAT = { slots: 16, items: 40 }

const POWER_FAILURES = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((seed) =>
  (['goes on', 'is set back'] as const).map((clock) => [seed, clock] as const),
)

describe('after', () => {
  test('a clean stop nothing is read again, and it goes on in the same file', async () => {
    const disk = simulated()
    const rig = runningOn(disk)
    const positions = sendKeys(rig, 0, 30)
    rig.stop()
    const again = runningOn(disk)
    expect(again.dropped).toBe(0)
    positions.push(...sendKeys(again, 30, 60))
    await expectKeys(again, positions)
    again.stop()
    expect(again.files).toEqual(rig.files)
    expect(readIndexHeader(again.bytesOf(again.files[0]!)).count).toBe(61)
  })

  test('a clean stop in the middle of a save the file is as if there had been none', async () => {
    const disk = simulated()
    const rig = runningOn(disk)
    const positions = sendKeys(rig, 0, 20)
    const slots = () => rig.bytesOf(rig.files[0]!).subarray(INDEX_HEADER_LENGTH, SLOTS_END)
    for (const before = Buffer.from(slots()); slots().equals(before);) {
      rig.store.clock.time += 31_000
      rig.agent.turn()
    }
    rig.store.clock.time += 10
    positions.push(rig.send('k20', { turns: 1 }))
    expect(readIndexHeader(rig.bytesOf(rig.files[0]!)).count).toBe(1) // the header comes last
    const [name] = rig.files
    rig.end()
    expect(readIndexHeader(rig.bytesOf(name!)).count).toBe(22)
    expect(readCheckpoint(disk, '/store').index).toBe(rig.store.clock.time)
    const again = runningOn(disk)
    expect(again.files).toEqual([name])
    await expectKeys(again, positions)
  })

  test.each([1, 2, 3, 4, 5, 6])('kill -9 all keys are found (seed %d)', async (seed) => {
    const random = new Random(seed)
    const disk = simulated(seed)
    const positions: number[] = []
    for (let life = 0; life < 6; life++) {
      const rig = rigOn(disk, { format: FORMAT })
      expect(rig.dropped).toBe(0)
      const count = random.below(60)
      for (let nth = 0; nth < count; nth++) {
        positions.push(rig.send(`k${positions.length}`, { turns: random.below(4) }))
        if (random.below(9) === 0) rig.store.clock.time += 31_000 // a save is due
        for (let turn = random.below(4); turn > 0; turn--) rig.agent.turn()
      }
      disk.kill()
    }
    const last = runningOn(disk, { format: FORMAT })
    await expectKeys(last, positions)
    last.stop()
  })

  test('kill -9 at any change of the disk the files are those of an undisturbed run', () => {
    const files = (disk: SimulatedDisk) => {
      const rig = runningOn(disk, { format: FORMAT })
      rig.stop()
      return rig.files.map((name) => rig.bytesOf(name))
    }
    const life = (disk: SimulatedDisk) => {
      const rig = runningOn(disk, { format: FORMAT })
      for (let nth = rig.store.shared.appended.value() === 0 ? 0 : 30; nth < 30; nth++) {
        rig.send(`a${nth} b${nth} c${nth}`)
        if (nth % 10 === 9) rig.store.clock.time += 31_000
        rig.run()
      }
      rig.run()
    }
    const calm = simulated()
    life(calm)
    const { changes } = calm
    calm.kill()
    const expected = files(calm)
    expect(expected.length).toBe(3)
    for (let failAt = 20; failAt < changes; failAt += 3) {
      const disk = simulated()
      disk.failAt = failAt
      try {
        life(disk)
      } catch (error) {
        expect(String(error)).toContain('at change')
      }
      disk.kill()
      const found = files(disk)
      // Messages that were not written by then are missing, and nothing else.
      expect(found.length).toBeLessThanOrEqual(expected.length)
      for (const [nth, bytes] of found.slice(0, -1).entries()) {
        expect([failAt, nth, bytes.equals(expected[nth]!)]).toEqual([failAt, nth, true])
      }
    }
  })

  test('kill -9 what is in the file is taken up, and not read from the log again', () => {
    const disk = new CountingDisk(new Random(1))
    sendKeys(runningOn(disk), 0, 70)
    disk.kill()
    const again = rigOn(disk)
    disk.logBytes = 0
    again.run()
    expect(again.table.current()?.header.count).toBe(71)
    expect(disk.logBytes).toBeLessThan(2048) // of 8192
  })

  test('kill -9 slots that name lost items condemn their file', async () => {
    const format = { slots: 16, items: 100 }
    const [slotsEnd, lost] = [INDEX_HEADER_LENGTH + 64, Buffer.alloc(11 * 20)]
    const disk = simulated()
    const rig = runningOn(disk, { format })
    const slots = () => rig.bytesOf(rig.files[0]!).subarray(INDEX_HEADER_LENGTH, slotsEnd)
    const count = () => readIndexHeader(rig.bytesOf(rig.files[0]!)).count
    const work = () => {
      rig.store.clock.time += 31_000
      rig.agent.turn()
    }
    const positions = sendKeys(rig, 0, 15)
    while (count() === 1) work()
    positions.push(...sendKeys(rig, 15, 30))
    for (const before = Buffer.from(slots()); slots().equals(before);) work()
    expect(count()).toBe(16) // the header comes last
    disk.kill()
    const file = disk.open(join(rig.directory, rig.files[0]!))
    const span = { buffer: lost, offset: 0, length: lost.length }
    disk.pwrite(file, { ...span, position: slotsEnd + 20 * 20 })
    await expectKeys(runningOn(disk, { format }), positions)
  })

  test('kill -9 items of messages that were cut off are not taken up, then or later', async () => {
    const disk = simulated()
    const rig = runningOn(disk)
    const positions = sendKeys(rig, 0, 30)
    disk.kill()
    const log = disk.open('/store/commitlog/00000000000000000000')
    disk.truncate(log, positions[10]!)
    disk.truncate(log, 8192)
    disk.kill()
    const second = runningOn(disk)
    positions.length = 10
    expect(second.store.recovered.end).toBe(positions[9]! + (positions[9]! - positions[8]!))
    const body = 'x'.repeat(200)
    const append = (turns: number) =>
      positions.push(second.send(`k${positions.length}`, { body, turns }))
    append(Infinity) // the items of the messages that were cut off would seem to follow
    for (let nth = 0; nth < 9; nth++) append(0)
    disk.kill()
    await expectKeys(runningOn(disk), positions)
  })

  test.each(POWER_FAILURES)(
    'a power failure all keys of what is left are found (seed %d, the clock %s)',
    async (seed, clock) => {
      const random = new Random(seed)
      const disk = simulated(seed)
      let positions: number[] = []
      let time = START
      for (let life = 0; life < 5; life++) {
        const rig = runningOn(disk, { format: FORMAT, boot: `boot ${life}`, time })
        positions = positions.filter((position) => position < rig.store.recovered.end)
        await expectKeys(rig, positions)
        for (let nth = 0; nth < 30; nth++) {
          if (clock === 'goes on') rig.store.clock.time += 10
          positions.push(rig.send(`k${positions.length}`))
          if (random.below(9) === 0) rig.store.clock.time += 31_000
          rig.run()
        }
        if (clock === 'goes on') time = rig.store.clock.time + 1000
        if (random.below(3) === 0) rig.stop()
        disk.losePower()
      }
      const last = runningOn(disk, { format: FORMAT, boot: 'last' })
      await expectKeys(
        last,
        positions.filter((position) => position < last.store.recovered.end),
      )
    },
  )

  test('a full file was synced, a power failure does not take it', () => {
    const disk = simulated()
    const rig = runningOn(disk, { format: FORMAT })
    sendKeys(rig, 0, 50)
    rig.run()
    rig.store.clock.time += 61_000
    rig.run()
    expect(rig.store.shared.indexDurable.value()).toBeGreaterThan(0)
    expect(disk.durableFile(join(rig.directory, rig.files[0]!))).toEqual(rig.bytesOf(rig.files[0]!))
  })
})

test('files that end in one millisecond are durable when all of them are', () => {
  const disk = simulated()
  const rig = runningOn(disk, { format: FORMAT })
  const { clock, shared } = rig.store
  const time = clock.time
  for (let nth = 0; nth < 100; nth++) rig.send(`k${nth}`)
  for (let waited = 0; shared.indexDurable.value() < time; waited += 1000) {
    expect(waited).toBeLessThan(200_000)
    clock.time += 1000
    rig.agent.turn()
  }
  expect(readIndexHeader(rig.bytesOf(rig.files[2]!))).toMatchObject({ endTimestamp: time })
  for (const name of rig.files) {
    expect(disk.durableFile(join(rig.directory, name)).equals(rig.bytesOf(name))).toBe(true)
  }
})

describe('a clean stop makes durable', () => {
  const isDurable = (disk: SimulatedDisk, rig: IndexRig) =>
    rig.files.map((name) => {
      return disk.durableFile(join(rig.directory, name))?.equals(rig.bytesOf(name)) === true
    })

  test('files, too, that were full a moment ago', () => {
    const disk = simulated()
    const rig = runningOn(disk, { format: FORMAT })
    sendKeys(rig, 0, 100)
    rig.run()
    expect(isDurable(disk, rig)).toEqual([false, false, false])
    rig.stop()
    expect(readCheckpoint(disk, '/store').index).toBe(rig.store.clock.time)
    expect(isDurable(disk, rig)).toEqual([true, true, true])
  })

  test('files, too, that were full when the run before was killed', () => {
    const disk = simulated()
    const rig = runningOn(disk, { format: FORMAT })
    sendKeys(rig, 0, 100)
    rig.run()
    disk.kill()
    const again = runningOn(disk, { format: FORMAT })
    again.stop()
    expect(isDurable(disk, again)).toEqual([true, true, true])
  })

  test('nothing later than a file that it cannot sync', () => {
    const disk = simulated()
    const rig = runningOn(disk, { format: FORMAT })
    sendKeys(rig, 0, 100)
    rig.run()
    disk.refusal = { code: 'EIO', path: rig.files[0]! }
    rig.end()
    expect(rig.store.shared.indexDurable.value()).toBe(0)
  })
})

describe('what is missing is made anew:', () => {
  async function expectMended(damage: (disk: SimulatedDisk, rig: IndexRig) => void) {
    const disk = simulated()
    const rig = runningOn(disk, { format: FORMAT })
    const positions = sendKeys(rig, 0, 200)
    rig.stop()
    const expected = rig.files.map((name) => rig.bytesOf(name))
    damage(disk, rig)
    const again = runningOn(disk, { format: FORMAT })
    await expectKeys(again, positions)
    again.stop()
    expect(again.files.map((name) => again.bytesOf(name))).toEqual(expected)
  }

  test('all files', () => expectMended((disk, rig) => disk.remove(rig.directory)))

  test.each([0, 1, 2, 5])('file %d', (nth) =>
    expectMended((disk, rig) => disk.remove(join(rig.directory, rig.files[nth]!))),
  )

  test('one of another length', () =>
    expectMended((disk, rig) => {
      const descriptor = disk.open(join(rig.directory, rig.files[1]!))
      disk.truncate(descriptor, 100)
      disk.close(descriptor)
    }))

  test('one whose header makes no sense', () =>
    expectMended((disk, rig) => {
      const descriptor = disk.open(join(rig.directory, rig.files[2]!))
      const buffer = Buffer.alloc(INDEX_HEADER_LENGTH, 0x7f)
      disk.pwrite(descriptor, { buffer, offset: 0, length: buffer.length, position: 0 })
      disk.close(descriptor)
    }))

  test('and the checkpoint forgets that it was durable', () => {
    const disk = simulated()
    const rig = runningOn(disk, { format: FORMAT })
    sendKeys(rig, 0, 200)
    rig.stop()
    expect(readCheckpoint(disk, '/store').index).toBe(rig.store.clock.time)
    disk.remove(join(rig.directory, rig.files[1]!))
    const again = runningOn(disk, { format: FORMAT })
    expect(again.files.length).toBe(6)
    const { endTimestamp } = readIndexHeader(again.bytesOf(again.files[0]!))
    expect(readCheckpoint(disk, '/store').index).toBe(endTimestamp)
    expect(again.store.shared.indexDurable.value()).toBe(endTimestamp)
  })

  test('all with other settings', async () => {
    const disk = simulated()
    const rig = runningOn(disk, { format: FORMAT })
    const positions = sendKeys(rig, 0, 100)
    rig.stop()
    const again = runningOn(disk, { format: SMALL_INDEX })
    expect(again.dropped).toBe(3)
    await expectKeys(again, positions)
  })
})

test('a disk that is full delays the index and nothing else', async () => {
  const disk = simulated()
  const rig = runningOn(disk)
  const positions = sendKeys(rig, 0, 5)
  disk.refusal = { code: 'ENOSPC', path: '/index/' }
  positions.push(...sendKeys(rig, 5, 10))
  rig.run()
  expect(rig.store.shared.dispatched.value()).toBe(rig.store.shared.appended.value())
  disk.refusal = null
  rig.agent.idleMs() // the nap
  rig.store.clock.time += rig.agent.idleMs()
  rig.run()
  await expectKeys(rig, positions)
  rig.stop()
})

test('messages that were deleted are not looked for, and their files not made again', async () => {
  const disk = simulated()
  const rig = runningOn(disk, { format: FORMAT })
  const positions = sendKeys(rig, 0, 300)
  rig.stop()
  for (const name of rig.files) disk.remove(join(rig.directory, name))
  disk.remove('/store/commitlog/00000000000000000000')
  const again = runningOn(disk, { format: FORMAT })
  const { minPosition } = again.store.recovered
  expect(minPosition).toBe(8192)
  for (const [nth, position] of positions.entries()) {
    expect(await again.find(`k${nth}`)).toEqual(position < minPosition ? [] : [position])
  }
})
