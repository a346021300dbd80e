/**
 * POP against a small model, step by step: pops that come together, acks alone and in batches, changes of the
 * invisible time, time that passes, crashes that take what is not written, and clean stops.
 *
 * What must hold:
 * - a message whose ack was answered is never given again,
 * - nor is one that is in flight, before its time is over,
 * - and in the end every message was given that was sent.
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import { ResponseError } from '../../../src/protocol/response-error.ts'
import { type Held, PopWorld } from './pop-world.ts'

const time = fc.constantFrom(0, 1000, 5000, 60_000)
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('send' as const), queueId: fc.nat(1) }),
    fc.record({
      kind: fc.constant('pop' as const),
      count: fc.integer({ min: 1, max: 4 }),
      ms: time,
    }),
    fc.record({
      kind: fc.constant('popTwice' as const),
      count: fc.integer({ min: 1, max: 4 }),
      ms: time,
    }),
    fc.record({ kind: fc.constant('ack' as const), nth: fc.nat(99), isBatch: fc.boolean() }),
    fc.record({ kind: fc.constant('change' as const), nth: fc.nat(99), ms: time }),
    fc.record({ kind: fc.constant('tick' as const), ms: fc.constantFrom(10, 1000, 6000, 61_000) }),
    fc.constant({ kind: 'save' as const }),
    fc.record({ kind: fc.constant('crash' as const), written: fc.nat(6) }),
    fc.record({ kind: fc.constant('ackAndCrash' as const), nth: fc.nat(99), written: fc.nat(2) }),
    fc.record({ kind: fc.constant('popAndCrash' as const), count: fc.nat(3), written: fc.nat(2) }),
    fc.constant({ kind: 'restart' as const }),
  ),
  { minLength: 5, maxLength: 40 },
)
type Step = typeof steps extends fc.Arbitrary<(infer S)[]> ? S : never

/** What a client may rely on. */
class Model {
  readonly sent = new Set<string>()
  readonly acked = new Set<string>()
  /** Whose ack was under way when the broker was killed: nobody knows. */
  readonly doubtful = new Set<string>()
  readonly given = new Set<string>()
  /** Until when nobody else may get it. */
  readonly hiddenUntil = new Map<string, number>()
  /** Held by some client, by the latest receipt. */
  held: Held[] = []

  give(held: readonly Held[], now: number): void {
    for (const each of held) {
      equal(this.acked.has(each.id), false, `${each.id} was acknowledged`)
      ok((this.hiddenUntil.get(each.id) ?? 0) <= now, `${each.id} is in flight`)
      this.given.add(each.id)
      this.hiddenUntil.set(each.id, each.popTime + each.invisibleTime)
      this.held = this.held.filter(({ id }) => id !== each.id)
      this.held.push(each)
    }
  }
}

async function run(list: readonly Step[], dice: () => number): Promise<void> {
  const world = await PopWorld.start(dice)
  const model = new Model()
  for (const step of list) await take(step, world, model)
  await drain(world, model)
  deepEqual(model.given, model.sent)
  const open = [...model.sent].filter((id) => !model.acked.has(id) && !model.doubtful.has(id))
  deepEqual(open, [])
}

async function take(step: Step, world: PopWorld, model: Model): Promise<void> {
  switch (step.kind) {
    case 'send':
      model.sent.add(world.send(step.queueId))
      return world.settle()
    case 'pop':
      return pop(world, model, [step])
    case 'popTwice':
      return pop(world, model, [step, step])
    case 'ack':
      return ack(world, model, chosen(model, step))
    case 'change':
      return change(world, model, chosen(model, { nth: step.nth, isBatch: false }), step.ms)
    case 'tick':
      return world.tick(step.ms)
    case 'save':
      return world.saveOffsets()
    case 'crash':
      return world.crash()
    case 'ackAndCrash': {
      const [held] = chosen(model, { nth: step.nth, isBatch: false })
      if (held !== undefined) model.doubtful.add(held.id)
      if (held !== undefined) void settled(world.ack([held]))
      await Promise.resolve()
      world.write(step.written)
      return world.crash()
    }
    case 'popAndCrash':
      void settled(world.pop(step.count + 1, 5000))
      await Promise.resolve()
      world.write(step.written)
      await world.crash()
      // Whether it was popped nobody knows: its time is waited for.
      return world.tick(5000)
    case 'restart':
      return world.restart()
  }
}

/** Pops that come at the same time. */
async function pop(
  world: PopWorld,
  model: Model,
  pops: { count: number; ms: number }[],
): Promise<void> {
  const all = pops.map(({ count, ms }) => world.pop(count, ms))
  await world.settle()
  for (const held of await Promise.all(all)) model.give(held, world.clock.now())
}

async function ack(world: PopWorld, model: Model, held: readonly Held[]): Promise<void> {
  if (held.length === 0) return
  const done = settled(world.ack(held))
  await world.settle()
  if (!(await done)) return
  for (const { id } of held) model.acked.add(id)
  model.held = model.held.filter((each) => !held.includes(each))
}

async function change(
  world: PopWorld,
  model: Model,
  [held]: readonly Held[],
  ms: number,
): Promise<void> {
  if (held === undefined) return
  const changed = world.change(held, ms).catch(refused)
  await world.settle()
  const next = await changed
  if (next === null) return
  model.held = model.held.map((each) => (each === held ? next : each))
  model.hiddenUntil.set(held.id, next.popTime + ms)
}

/** One that a client holds, or all that came with it from the same queue and are held still. */
function chosen({ held }: Model, { nth, isBatch }: { nth: number; isBatch: boolean }): Held[] {
  const one = held[nth % Math.max(1, held.length)]
  if (one === undefined) return []
  const isWithIt = (each: Held) =>
    each.topic === one.topic &&
    each.queueId === one.queueId &&
    each.startOffset === one.startOffset &&
    each.popTime === one.popTime
  return isBatch ? held.filter(isWithIt) : [one]
}

/** Whether it was answered OK. */
function settled(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(() => true, refused).then((done) => done === true)
}

function refused(error: unknown): null {
  if (error instanceof ResponseError) return null
  throw error
}

/** Until everything is acknowledged. */
async function drain(world: PopWorld, model: Model): Promise<void> {
  for (let round = 0; round < 50 && model.acked.size < model.sent.size; round++) {
    await world.tick(61_000)
    await world.tick(1000)
    await pop(world, model, [{ count: 32, ms: 60_000 }])
    for (const held of model.held) await ack(world, model, [held])
  }
}

const dice = fc.array(fc.nat(99), { minLength: 8, maxLength: 8 })

export const popProperty = fc.asyncProperty(steps, dice, async (list, numbers) => {
  let nth = 0
  await run(list, () => numbers[nth++ % numbers.length]!)
})
