import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { indexFileSize, readIndexHeader } from '../../src/store/index-file.ts'
import { rigOn, runningOn, sendKeys, simulated } from '../support/index-rig.ts'

const DAY_MS = 86_400_000

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
