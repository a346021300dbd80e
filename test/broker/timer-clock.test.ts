/** Timers when the clock is set, and when many wait: on a disk in memory. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Random } from '../sim/random.ts'
import { TimerWorld } from '../support/timer-world.ts'

const HOURS = 3_600_000

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

async function openWorld(): Promise<TimerWorld> {
  const limits = { loadedMax: 1000, partMax: 1000, deletionsMax: 1000 }
  const options = { precisionMs: 1000, units: 100, rollSlots: 100, limits }
  const world = new TimerWorld(new Random(1), options)
  await world.open({ isSameBoot: true })
  return world
}

/** The clock was 100 seconds ahead for a while. */
async function setBack(world: TimerWorld): Promise<void> {
  await world.send(world.now + 5000)
  world.now += 100_000
  await world.settle()
  await world.check()
  world.flushLog()
  await world.check()
  world.now -= 100_000
  await world.settle()
}

test.each([
  ['is killed', async (world: TimerWorld) => world.kill(), true],
  ['loses power', async (world: TimerWorld) => world.losePower(1), false],
])(
  'a timer sent after the clock was set back comes when the broker %s',
  async (_, end, isSameBoot) => {
    const world = await openWorld()
    await setBack(world)
    await world.send(world.now + 7000)
    await world.settle()
    world.flushLog()
    world.timers.service!.onWake()
    for (const file of ['/store/timerwheel', '/store/timerlog/00000000000000000000']) {
      world.disk.fdatasync(world.disk.open(file))
    }
    await end(world)
    await world.open({ isSameBoot })
    world.now += 8000
    await world.settle()
    expect(world.deliveries('m1')).toHaveLength(1)
  },
)

test('a check point that is centuries ahead does not keep the broker busy for ever', async () => {
  const world = await openWorld()
  await world.send(world.now + 7000)
  await world.settle()
  await world.stop()
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(world.now + 10_000_000 * HOURS))
  const descriptor = world.disk.open('/store/config/timercheck')
  world.disk.pwrite(descriptor, { buffer: bytes, offset: 0, length: 8, position: 0 })
  await world.open({ isSameBoot: true })
  await world.settle()
  await world.send(world.now + 7000)
  world.now += 8000
  await world.settle()
  expect(world.deliveries('m1')).toHaveLength(1)
})

test('many messages are put in with room for others in between', async () => {
  const world = await openWorld()
  for (let nth = 0; nth < 2000; nth++) await world.send(world.now + 20_000)
  world.dispatchSome(1)
  let turns = 0
  let isDone = false
  const count = () => {
    turns++
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  await world.wake()
  isDone = true
  expect(world.timers.service!.behind).toBe(0)
  expect(turns).toBeGreaterThan(5)
})

test('timers come though the timer log is gone that no check point knew of', async () => {
  const world = await openWorld()
  await world.send(world.now + 7000)
  await world.settle()
  await world.kill()
  world.disk.remove('/store/timerlog/00000000000000000000')
  await world.open({ isSameBoot: true })
  world.now += 8000
  await world.settle()
  expect(world.deliveries('m0')).toHaveLength(1)
})
