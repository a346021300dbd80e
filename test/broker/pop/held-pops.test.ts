import { expect, test } from 'vitest'
import { HeldPops, type HeldPop, type Look } from '../../../src/broker/pop/held-pops.ts'
import type { PopStore } from '../../../src/broker/pop/pop-store.ts'

const NOTHING: Look = { isAnswered: false, freeMs: Infinity, isMore: false }

function rig() {
  const clock = { time: 0, now: () => clock.time }
  const max = [0, 0]
  const store = {
    rowOf: (topic: string, queueId: number) => (topic.startsWith('%') ? undefined : queueId),
    max: (row: number) => max[row]!,
    watch: () => {},
  } as unknown as PopStore
  const limits = { popPollingSize: 9, popPollingMapSize: 9, maxPopPollingSize: 9 }
  const held = new HeldPops({ store, queuesOf: () => 2, limits, clock, onHolding: () => {} })
  const said: string[] = []
  const park = (name: string, look: () => Promise<Look>, changes: Partial<HeldPop> = {}) => {
    const place = { group: 'g', topic: 'T', queueId: -1, peerId: 1, expiresMs: 100 }
    const looked = async () => {
      const outcome = await look()
      said.push(`${name} ${outcome.isAnswered ? 'answered' : 'looked'}`)
      return outcome
    }
    const expire = () => said.push(`${name} expired`)
    const pop = { ...place, look: looked, expire, ...changes }
    held.park(pop, NOTHING, held.stamp(pop))
  }
  return { clock, max, held, park, said }
}

test.each([
  ['messages are found', true, ['a answered']],
  ['nothing is found', false, ['a looked', 'a expired']],
])('a pop whose time ends while it looks is answered once: %s', async (_, isAnswered, expected) => {
  const { clock, max, held, park, said } = rig()
  const found = Promise.withResolvers<Look>()
  park('a', () => found.promise)
  max[0] = 1
  held.onWake()
  clock.time = 200
  held.onTime()
  expect(said).toEqual([])
  found.resolve({ ...NOTHING, isAnswered })
  await turn()
  expect(said).toEqual(expected)
  expect(held.count('T', 'g', -1)).toBe(0)
  expect(held.nextMs).toBe(Infinity)
})

test('one whose client goes while it looks waits for nothing any more', async () => {
  const { held, park, max } = rig()
  const found = Promise.withResolvers<Look>()
  park('a', () => found.promise)
  max[0] = 1
  held.onWake()
  held.peerClosed(1)
  found.resolve({ ...NOTHING, freeMs: 5000 })
  await turn()
  expect(held.nextMs).toBe(Infinity)
})

test('a group is woken in all its queues of the topic, and no other group is', async () => {
  const { held, park, said } = rig()
  const look = () => Promise.resolve(NOTHING)
  park('any', look)
  park('one', look, { queueId: 1 })
  park('other', look, { group: 'h' })
  held.wake('T', 'g')
  await turn()
  expect(said.toSorted()).toEqual(['any looked', 'one looked'])
})

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
