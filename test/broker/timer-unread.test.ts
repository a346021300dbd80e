/** Timers whose messages the disk does not give, and slots that are too large for the memory: on a disk in memory. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Random } from '../sim/random.ts'
import { TimerWorld } from '../support/timer-world.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

const LIMITS = { loadedMax: 1000, partMax: 1000, deletionsMax: 1000 }

async function openWorld(limits = LIMITS): Promise<TimerWorld> {
  const options = { precisionMs: 1000, units: 100, rollSlots: 100, limits }
  const world = new TimerWorld(new Random(1), options)
  await world.open({ isSameBoot: true })
  return world
}

async function pass(world: TimerWorld, seconds: number): Promise<void> {
  for (let nth = 0; nth < seconds; nth++) {
    world.now += 1001
    await world.settle()
  }
}

function delivered(world: TimerWorld): string[] {
  return world.sent.map(({ id }) => id).filter((id) => world.deliveries(id).length > 0)
}

async function sendThree(world: TimerWorld): Promise<void> {
  for (const delayMs of [5000, 5000, 7000]) await world.send(world.now + delayMs)
  await world.settle()
}

test('one that cannot be read holds up no other, and comes when it can be read', async () => {
  const world = await openWorld()
  await sendThree(world)
  world.unreadable.add(world.sent[0]!.position)
  await pass(world, 8)
  expect(delivered(world)).toEqual(['m1', 'm2'])
  world.unreadable.clear()
  await pass(world, 2)
  expect(delivered(world)).toEqual(['m0', 'm1', 'm2'])
  expect(world.deliveries('m1')).toHaveLength(1)
})

test('one that cannot be read is not lost by kill -9', async () => {
  const world = await openWorld()
  await sendThree(world)
  world.unreadable.add(world.sent[0]!.position)
  await pass(world, 8)
  world.flushLog()
  await world.check()
  await world.check()
  await world.kill()
  world.unreadable.clear()
  await world.open({ isSameBoot: true })
  await pass(world, 2)
  expect(world.deliveries('m0')).toHaveLength(1)
})

test('one that cannot be read while all others can is given up after a while, and named', async () => {
  const world = await openWorld()
  await world.send(world.now + 5000)
  await world.settle()
  const { position } = world.sent[0]!
  world.unreadable.add(position)
  for (let nth = 0; nth < 90; nth++) {
    await world.send(world.now + 1500)
    await pass(world, 1)
  }
  expect(world.errors.join('\n')).toMatch(`a timed message of topic at ${position} is dropped`)
  await pass(world, 2)
  expect(world.timers.service!.pending).toBe(0)
})

test('as long as nothing can be stored none is given up', async () => {
  const world = await openWorld()
  await world.send(world.now + 5000)
  await world.settle()
  world.unreadable.add(world.sent[0]!.position)
  await pass(world, 200)
  world.unreadable.clear()
  await pass(world, 2)
  expect(delivered(world)).toEqual(['m0'])
})

test('one that cannot be put in holds up others for some seconds', async () => {
  const world = await openWorld()
  await world.send(world.now + 60_000)
  world.unreadable.add(world.sent[0]!.position)
  await world.settle()
  for (let nth = 0; nth < 12; nth++) {
    await world.send(world.now + 2000)
    await pass(world, 1)
  }
  expect(world.errors.join('\n')).toMatch('a timed message of topic at offset 0 is dropped')
  await pass(world, 4)
  expect(delivered(world)).toHaveLength(12)
})

test('a recall that cannot be read at first is found by the second try', async () => {
  const world = await openWorld()
  await sendThree(world)
  await world.recall(world.sent[2]!)
  await world.settle()
  const position = world.recalls.get('m2')!
  world.unreadable.add(position)
  world.now += 5500
  await world.settle()
  world.unreadable.clear()
  await pass(world, 5)
  expect(delivered(world)).toEqual(['m0', 'm1'])
})

test('a recall that cannot be read does not hold up its slot', async () => {
  const world = await openWorld()
  await sendThree(world)
  await world.recall(world.sent[2]!)
  await world.settle()
  world.unreadable.add(world.recalls.get('m2')!)
  await pass(world, 12)
  expect(delivered(world)).toEqual(['m0', 'm1', 'm2'])
  expect(world.errors.join('\n')).toMatch(/the recall at \d+ cannot be read/)
})

test('a slot larger than the memory comes in parts, in order, all of it, and less what was recalled', async () => {
  const world = await openWorld({ loadedMax: 20, partMax: 7, deletionsMax: 1000 })
  for (let nth = 0; nth < 300; nth++) await world.send(world.now + 5000)
  for (const nth of [0, 150, 299]) await world.recall(world.sent[nth]!)
  await world.settle()
  await pass(world, 8)
  const ids = world.records.filter(({ topic }) => topic === 'T')
  const expected = world.sent.map(({ id }) => id).filter((_, nth) => ![0, 150, 299].includes(nth))
  expect(ids.map(({ properties }) => properties.get('UNIQ_KEY'))).toEqual(expected)
})

test('recalls beyond what there is memory for are left out, and it is said', async () => {
  const world = await openWorld({ loadedMax: 20, partMax: 7, deletionsMax: 2 })
  for (let nth = 0; nth < 5; nth++) await world.send(world.now + 5000)
  for (const nth of [0, 1, 2]) await world.recall(world.sent[nth]!)
  await world.settle()
  await pass(world, 8)
  expect(delivered(world)).toEqual(['m0', 'm3', 'm4'])
  expect(world.errors.join('\n')).toMatch('too many recalls')
})
