import fc from 'fast-check'
import { expect, test } from 'vitest'
import { QueueBacklog } from '../../src/client/queue-backlog.ts'

const limits = { countMax: 3, bytesMax: 100, spanMax: 10 }

test('what may be committed is the oldest message that is not consumed', () => {
  const backlog = new QueueBacklog(5, limits)
  expect(backlog.committable).toBe(5)
  for (const offset of [5, 6, 8]) backlog.add(offset, 1)
  backlog.advance(9)
  backlog.remove(6)
  expect(backlog.committable).toBe(5)
  backlog.remove(5)
  expect(backlog.committable).toBe(8)
  backlog.remove(8)
  expect(backlog.committable).toBe(9)
})

test('messages that were filtered out are passed over', () => {
  const backlog = new QueueBacklog(0, limits)
  backlog.advance(40)
  expect(backlog.committable).toBe(40)
})

test('it is full past its count, its bytes or its span', () => {
  const fill = (...messages: [offset: number, bytes: number][]) => {
    const backlog = new QueueBacklog(0, limits)
    for (const [offset, bytes] of messages) backlog.add(offset, bytes)
    return backlog.isFull()
  }
  expect(fill([0, 1], [1, 1], [2, 1])).toBe(false)
  expect(fill([0, 1], [1, 1], [2, 1], [3, 1])).toBe(true)
  expect(fill([0, 50], [1, 50])).toBe(false)
  expect(fill([0, 50], [1, 51])).toBe(true)
  expect(fill([0, 1], [10, 1])).toBe(false)
  expect(fill([0, 1], [11, 1])).toBe(true)
})

test('a reader waits until there is room', async () => {
  const backlog = new QueueBacklog(0, limits)
  for (let offset = 0; offset < 5; offset++) backlog.add(offset, 1)
  let hasRoom = false
  const waited = backlog.hasRoom().then(() => (hasRoom = true))
  backlog.remove(0)
  await Promise.resolve()
  expect(hasRoom).toBe(false)
  backlog.remove(1)
  await waited
  expect(hasRoom).toBe(true)
})

test('a waiting reader can be woken to end', async () => {
  const backlog = new QueueBacklog(0, limits)
  for (let offset = 0; offset < 5; offset++) backlog.add(offset, 1)
  const waited = backlog.hasRoom()
  backlog.wake()
  await waited
})

test('in any order of consuming, nothing at or above the committable offset is lost', () => {
  const order = fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(order, (consumed) => {
      const backlog = new QueueBacklog(0, { countMax: 1000, bytesMax: 1e9, spanMax: 1000 })
      const left = new Set(Array.from({ length: 31 }, (_, offset) => offset))
      for (const offset of left) backlog.add(offset, 7)
      backlog.advance(31)
      for (const offset of consumed) {
        backlog.remove(offset)
        left.delete(offset)
        expect(backlog.committable).toBe(Math.min(31, ...left))
      }
      expect(backlog.count).toBe(left.size)
    }),
  )
})
