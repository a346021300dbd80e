import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { INDEX_HEADER_LENGTH, indexFileSize, readIndexHeader } from '../../src/store/index-file.ts'
import { Random } from '../sim/random.ts'
import { IndexRig, SMALL_INDEX, type IndexRigOptions } from '../support/index-rig.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'

const DAY_MS = 86_400_000

function simulated(seed = 1): SimulatedDisk {
  return new SimulatedDisk(new Random(seed))
}

function rigOn(disk: SimulatedDisk, options: IndexRigOptions = {}): IndexRig {
  return new IndexRig({ disk, ...options })
}

/** Like `rigOn`, with everything done that there was to do at the start. */
function runningOn(disk: SimulatedDisk, options: IndexRigOptions = {}): IndexRig {
  const rig = rigOn(disk, options)
  rig.run()
  return rig
}

/** Sends messages with keys `k<from>` to `k<to - 1>`, 10 ms apart; returns their positions. */
function sendKeys(rig: IndexRig, from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, nth) => {
    rig.store.clock.time += 10
    return rig.send(`k${from + nth}`)
  })
}

async function expectKeys(rig: IndexRig, positions: readonly number[], from = 0): Promise<void> {
  for (const [nth, position] of positions.entries()) {
    expect([from + nth, await rig.find(`k${from + nth}`)]).toEqual([from + nth, [position]])
  }
}

describe('a message', () => {
  test('is found by its unique key and by each of its keys', async () => {
    const rig = runningOn(simulated())
    rig.send('other', { unique: 'U0' })
    const position = rig.send('red  blue', { unique: 'U1' })
    for (const key of ['U1', 'red', 'blue']) expect(await rig.find(key)).toEqual([position])
    for (const key of ['', 'red  blue', 'U2']) expect(await rig.find(key)).toEqual([])
  })

  test('is found in its topic only', async () => {
    const rig = runningOn(simulated())
    rig.send('red')
    expect(await rig.find('red', { topic: 'Other' })).toEqual([])
  })

  test('of another key with the same hash is not found', async () => {
    const rig = runningOn(simulated())
    const [first, second] = [rig.send('Aa'), rig.send('BB')]
    expect(await rig.find('Aa')).toEqual([first])
    expect(await rig.find('BB')).toEqual([second])
  })

  test('is found once, though it has its key twice', async () => {
    const rig = runningOn(simulated())
    const position = rig.send('red red', { unique: 'red' })
    expect(await rig.find('red')).toEqual([position])
  })

  test('that is damaged is not found', async () => {
    const disk = simulated()
    const rig = runningOn(disk)
    const [damaged, whole] = [rig.send('red', { body: 'damage me' }), rig.send('red')]
    for (let nth = 0; nth < 60; nth++) rig.send('') // out of the window
    const descriptor = disk.open('/store/commitlog/00000000000000000000')
    const buffer = Buffer.from('D')
    disk.pwrite(descriptor, { buffer, offset: 0, length: 1, position: damaged + 88 })
    expect(await rig.find('red')).toEqual([whole])
  })
})

describe('a query', () => {
  test('finds messages between two times, both included, newest first up to its maximum', async () => {
    const rig = runningOn(simulated())
    const start = rig.store.clock.time
    const positions = Array.from({ length: 10 }, (_, nth) => {
      rig.store.clock.time = start + nth * 700
      return rig.send('red')
    })
    const times = { begin: start + 1400, end: start + 3500 }
    expect(await rig.find('red', times)).toEqual(positions.slice(2, 6))
    expect(await rig.find('red', { ...times, max: 2 })).toEqual(positions.slice(4, 6))
    expect(await rig.find('red', { max: 3 })).toEqual(positions.slice(7))
  })

  test('goes through all files, though a pause lay between them', async () => {
    const rig = runningOn(simulated(), { format: { slots: 8, items: 10 } })
    const start = rig.store.clock.time
    const positions = Array.from({ length: 40 }, (_, nth) => {
      rig.store.clock.time = start + nth * DAY_MS
      return rig.send('red')
    })
    rig.run()
    expect(rig.files.length).toBe(5)
    expect(await rig.find('red')).toEqual(positions)
    for (const day of [0, 8, 9, 10, 30]) {
      const times = { begin: start + day * DAY_MS, end: start + (day + 1) * DAY_MS }
      expect(await rig.find('red', times)).toEqual(positions.slice(day, day + 2))
    }
  })

  test('tells how far the index has come', async () => {
    const rig = runningOn(simulated())
    expect(await rig.query('red')).toMatchObject({ lastTimestamp: 0, lastPosition: 0 })
    rig.send('red')
    rig.store.clock.time += 5
    const lastPosition = rig.send('blue')
    const lastTimestamp = rig.store.clock.time
    expect(await rig.query('red')).toMatchObject({ lastTimestamp, lastPosition })
    rig.stop()
  })

  test('copes with files that vanish', async () => {
    const disk = simulated()
    const rig = runningOn(disk, { format: { slots: 8, items: 10 } })
    const positions = sendKeys(rig, 0, 20)
    rig.run()
    disk.remove(join(rig.directory, rig.files[0]!))
    expect(await rig.find('k3')).toEqual([])
    expect(await rig.find('k19')).toEqual([positions[19]])
  })
})

describe('the index', () => {
  test('rolls in the middle of a message and loses none of its keys', async () => {
    const disk = simulated()
    const rig = runningOn(disk, { format: { slots: 8, items: 6 } })
    const positions = Array.from({ length: 9 }, (_, nth) => rig.send(`a${nth} b${nth} c${nth}`))
    rig.run()
    expect(rig.files.length).toBe(6)
    for (const [nth, position] of positions.entries()) {
      for (const key of [`a${nth}`, `b${nth}`, `c${nth}`]) {
        expect(await rig.find(key)).toEqual([position])
      }
    }
    rig.stop()
    expect(indexFileSize({ slots: 8, items: 6 })).toBe(rig.bytesOf(rig.files[0]!).length)
  })

  test('does not hold up dispatch while it rolls', () => {
    const rig = runningOn(simulated(), { format: { slots: 8, items: 4 } })
    for (let nth = 0; nth < 10; nth++) rig.send(`k${nth}`, { turns: 1 })
    const { dispatched, appended, indexed } = rig.store.shared
    expect(dispatched.value()).toBe(appended.value())
    expect(indexed.value()).toBeLessThan(appended.value())
    rig.run()
    expect(indexed.value()).toBe(appended.value())
  })

  test('keeps up when dispatch always has something to do', async () => {
    const rig = rigOn(simulated())
    for (let nth = 0; nth < 400; nth++) rig.send(`k${nth}`, { turns: 1 })
    expect(rig.store.shared.indexed.value()).toBe(rig.store.shared.appended.value())
    expect(await rig.find('k399')).not.toEqual([])
  })

  test('of a broker that idles is written once and then left alone', () => {
    const rig = runningOn(simulated())
    expect(rig.agent.idleMs()).toBe(Infinity)
    rig.send('red')
    rig.run()
    rig.agent.idleMs() // the nap
    expect(rig.agent.naps).toBe(true)
    rig.run()
    const idleMs = rig.agent.idleMs()
    expect([idleMs > 0, idleMs < Infinity, rig.agent.naps]).toEqual([true, true, false])
    rig.store.clock.time += idleMs
    rig.run()
    expect(readIndexHeader(rig.bytesOf(rig.files[0]!)).count).toBe(2)
    expect(rig.agent.idleMs()).toBe(Infinity)
  })
})

const FORMAT = { slots: 16, items: 40 }
const isZero = (byte: number) => byte === 0

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
    const disk = simulated()
    const rig = runningOn(disk)
    sendKeys(rig, 0, 30)
    disk.kill()
    const again = rigOn(disk)
    while (again.table.current() === null) again.agent.turn()
    expect(again.table.current()!.header).toEqual(rig.table.current()!.header)
  })

  test('kill -9 slots that name lost items condemn their file', async () => {
    const disk = simulated()
    const rig = runningOn(disk)
    const positions = sendKeys(rig, 0, 30)
    rig.store.clock.time += 31_000
    while (rig.bytesOf(rig.files[0]!).subarray(INDEX_HEADER_LENGTH, 296).every(isZero)) {
      rig.agent.turn()
      rig.store.clock.time += 31_000
    }
    expect(readIndexHeader(rig.bytesOf(rig.files[0]!)).count).toBe(1) // comes last
    disk.kill()
    const file = disk.open(join(rig.directory, rig.files[0]!))
    const buffer = Buffer.alloc(200)
    disk.pwrite(file, { buffer, offset: 0, length: 200, position: 296 + 20 * 20 })
    await expectKeys(runningOn(disk), positions)
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
    for (let nth = 0; nth < 3; nth++) append(Infinity)
    for (let nth = 0; nth < 8; nth++) append(0)
    disk.kill()
    await expectKeys(runningOn(disk), positions)
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'a power failure all keys of what is left are found (seed %d)',
    async (seed) => {
      const random = new Random(seed)
      const disk = simulated(seed)
      let positions: number[] = []
      for (let life = 0; life < 5; life++) {
        const rig = runningOn(disk, { format: FORMAT, boot: `boot ${life}` })
        positions = positions.filter((position) => position < rig.store.recovered.end)
        await expectKeys(rig, positions)
        for (let nth = 0; nth < 30; nth++) {
          positions.push(rig.send(`k${positions.length}`))
          if (random.below(9) === 0) rig.store.clock.time += 31_000
          rig.run()
        }
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

  test.each([1, 2, 3, 4, 5, 6])(
    'and a power failure right after it does not take it for durable (seed %d)',
    async (seed) => {
      const disk = simulated(seed)
      const rig = runningOn(disk, { format: FORMAT })
      const positions = sendKeys(rig, 0, 200)
      rig.stop()
      disk.remove(join(rig.directory, rig.files[1]!))
      disk.syncAll()
      const again = runningOn(disk, { format: FORMAT })
      expect(again.files.length).toBe(6)
      disk.losePower()
      await expectKeys(runningOn(disk, { format: FORMAT, boot: 'next' }), positions)
    },
  )

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
