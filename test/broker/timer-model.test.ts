/**
 * Timers against a small model: random sends, recalls, steps of time, refusals of the log, stops, kills and power
 * failures, at any write.
 *
 * What must hold:
 * - no message is delivered before its time
 * - each that is still in the log, and was not recalled, is delivered when its time is over
 * - one that was recalled is not delivered after that
 * - twice only when a crash came in between
 */
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Random } from '../sim/random.ts'
import { TimerWorld } from '../support/timer-world.ts'

const RUNS = Number(process.env.RINGMQ_TIMER_RUNS ?? 200)

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

type Step =
  | { kind: 'send'; delayMs: number; isWhole: boolean }
  | { kind: 'recall'; share: number }
  | { kind: 'pass'; ms: number }
  | { kind: 'dispatch'; share: number }
  | { kind: 'settle' | 'wake' | 'flush' | 'check' | 'stop' | 'kill' | 'refuse' }
  | { kind: 'power'; keep: number }
  | { kind: 'crashIn'; changes: number }

const share = fc.double({ min: 0, max: 1, noNaN: true })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      delayMs: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 40_000 })),
      isWhole: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('recall' as const), share }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.oneof(fc.integer({ min: 1, max: 1500 }), fc.integer({ min: 1, max: 20_000 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('dispatch' as const), share }) },
  {
    weight: 12,
    arbitrary: fc
      .constantFrom('settle', 'settle', 'wake', 'flush', 'check', 'check', 'stop', 'kill', 'refuse')
      .map((kind) => ({ kind })),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('power' as const), keep: share }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('crashIn' as const),
      changes: fc.integer({ min: 0, max: 12 }),
    }),
  },
)

class Run {
  readonly world: TimerWorld
  readonly #random: Random

  constructor(seed: number) {
    this.#random = new Random(seed)
    this.world = new TimerWorld(this.#random, {
      precisionMs: this.#random.pick([1000, 1000, 100]),
      units: this.#random.pick([3, 8, 100]),
      rollSlots: this.#random.pick([8, 100]),
      limits: {
        loadedMax: this.#random.pick([1, 4, 1000]),
        partMax: this.#random.pick([1, 2, 1000]),
        deletionsMax: 1000,
      },
    })
  }

  async take(step: Step): Promise<void> {
    try {
      await this.#take(step)
    } catch (error) {
      if (!this.world.isDead && !this.world.isRefusing) throw error
    }
    if (this.world.isDead) await this.#crash(this.#random.below(2) === 0, this.#random.unit())
  }

  async #take(step: Step): Promise<void> {
    const { world } = this
    switch (step.kind) {
      case 'send': {
        const dueMs = world.now + step.delayMs
        return world.send(step.isWhole ? Math.ceil(dueMs / 1000) * 1000 : dueMs)
      }
      case 'recall': {
        const sent = world.sent[Math.floor(step.share * world.sent.length)]
        return sent === undefined ? undefined : world.recall(sent)
      }
      case 'pass':
        world.now += step.ms
        return
      case 'dispatch':
        world.dispatchSome(step.share)
        return
      case 'settle':
        await world.settle()
        return this.#checkDelivered()
      case 'wake':
        return world.wake()
      case 'flush':
        return world.flushLog()
      case 'check':
        return world.check()
      case 'stop':
        await world.stop()
        return world.open({ isSameBoot: this.#random.below(4) > 0 })
      case 'kill':
        return this.#crash(false, 0)
      case 'power':
        return this.#crash(true, step.keep)
      case 'refuse':
        world.isRefusing = !world.isRefusing
        return
      case 'crashIn':
        world.disk.failAt = world.disk.changes + step.changes
    }
  }

  async #crash(isPower: boolean, keep: number): Promise<void> {
    const { world } = this
    if (isPower) await world.losePower(keep)
    else await world.kill()
    await world.open({ isSameBoot: !isPower })
  }

  async end(): Promise<void> {
    const { world } = this
    world.disk.failAt = Infinity
    world.isRefusing = false
    world.now += 2000 // what was refused is tried again
    for (let seconds = 0; seconds < 70; seconds++) {
      world.now += 997
      await world.settle()
    }
    this.#checkDelivered()
    expect(world.errors.filter((line) => !line.startsWith('units are missing'))).toEqual([])
  }

  #checkDelivered(): void {
    const { world } = this
    if (world.isDead || world.isRefusing) return
    for (const { id, dueMs, life } of world.sent) {
      const deliveries = world.deliveries(id)
      const recall = world.recalls.get(id)
      for (const { storeTimestamp, position } of deliveries) {
        expect(storeTimestamp, `${id} comes early`).toBeGreaterThanOrEqual(dueMs)
        expect(recall ?? Infinity, `${id} comes though recalled`).toBeGreaterThan(position)
      }
      if (recall === undefined && dueMs < world.now) {
        expect(deliveries.length, `${id} is lost`).toBeGreaterThan(0)
      }
      // A crash may also have had it rolled twice: both come later.
      for (const delivery of deliveries.slice(1)) {
        const isCrash = [...world.crashed].some((each) => each >= life && each < delivery.life)
        expect(isCrash, `${id} comes twice`).toBe(true)
      }
    }
  }
}

test('timers come when they are due, once, and none is lost, whatever ends the broker', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      fc.array(step, { maxLength: 60 }),
      async (seed, steps) => {
        const run = new Run(seed)
        await run.world.open({ isSameBoot: true })
        for (const each of steps) await run.take(each)
        await run.end()
      },
    ),
    { numRuns: RUNS },
  )
}, 3_600_000)
