import { expect, test } from 'vitest'
import { allocateInBlocks, allocateInCircle, shareOf } from '../../src/client/allocation.ts'
import { queueKey, type MessageQueue } from '../../src/client/message-queue.ts'

const queues = (count: number, brokerName = 'broker-a'): MessageQueue[] =>
  Array.from({ length: count }, (_, queueId) => ({ topic: 'Orders', brokerName, queueId }))
const idsOf = (share: MessageQueue[]) => share.map((queue) => queue.queueId)

test('in blocks, the first members get one queue more', () => {
  const members = ['a', 'b', 'c']
  expect(idsOf(allocateInBlocks(queues(8), members, 'a'))).toEqual([0, 1, 2])
  expect(idsOf(allocateInBlocks(queues(8), members, 'b'))).toEqual([3, 4, 5])
  expect(idsOf(allocateInBlocks(queues(8), members, 'c'))).toEqual([6, 7])
})

test('in a circle, queues are dealt out like cards', () => {
  expect(idsOf(allocateInCircle(queues(5), ['a', 'b'], 'a'))).toEqual([0, 2, 4])
  expect(idsOf(allocateInCircle(queues(5), ['a', 'b'], 'b'))).toEqual([1, 3])
})

test('more members than queues leave the last ones without any', () => {
  expect(idsOf(allocateInBlocks(queues(2), ['a', 'b', 'c'], 'b'))).toEqual([1])
  expect(allocateInBlocks(queues(2), ['a', 'b', 'c'], 'c')).toEqual([])
})

test('a client that the broker does not list owns nothing', () => {
  for (const allocate of [allocateInBlocks, allocateInCircle]) {
    expect(allocate(queues(4), ['a', 'b'], 'stranger')).toEqual([])
    expect(allocate(queues(4), [], 'a')).toEqual([])
  }
})

test('the shares of all members cover every queue exactly once', () => {
  for (const allocate of [allocateInBlocks, allocateInCircle]) {
    for (let count = 0; count <= 20; count++) {
      for (let size = 1; size <= 7; size++) {
        const members = Array.from({ length: size }, (_, index) => `member-${index}`)
        const shares = members.map((self) => allocate(queues(count), members, self))
        expect(shares.flat().map(queueKey).sort()).toEqual(queues(count).map(queueKey).sort())
        const sizes = shares.map((share) => share.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }
    }
  }
})

test('the order in which a broker lists queues and members does not matter', () => {
  const all = [...queues(3, 'broker-b'), ...queues(11, 'broker-a')]
  const share = shareOf('b', [...all].reverse(), ['c', 'b', 'a', 'B'], allocateInBlocks)
  expect(share).toEqual(shareOf('b', all, ['a', 'c', 'B', 'b'], allocateInBlocks))
  expect(idsOf(share)).toEqual([8, 9, 10]) // upper case sorts first, queue 10 after queue 9
})
