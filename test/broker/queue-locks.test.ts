import { describe, expect, test } from 'vitest'
import { LOCK_LIFE_MS, QueueLocks } from '../../src/broker/queue-locks.ts'

const first = { topic: 'T', queueId: 0 }
const second = { topic: 'T', queueId: 1 }

function locks() {
  const clock = {
    time: 0,
    now() {
      return this.time
    },
  }
  return { clock, locks: new QueueLocks(clock) }
}

describe('queue locks', () => {
  test('go to who asks first; others get the rest', () => {
    const { locks: queueLocks } = locks()
    expect(queueLocks.lock('g', 'a', [first])).toEqual([first])
    expect(queueLocks.lock('g', 'b', [first, second])).toEqual([second])
  })

  test('of one group do not concern another', () => {
    const { locks: queueLocks } = locks()
    queueLocks.lock('g', 'a', [first])
    expect(queueLocks.lock('h', 'b', [first])).toEqual([first])
  })

  test('are renewed by their owner, and free when not renewed for a minute', () => {
    const { clock, locks: queueLocks } = locks()
    queueLocks.lock('g', 'a', [first, second])
    clock.time += LOCK_LIFE_MS
    queueLocks.lock('g', 'a', [first])
    clock.time += 1
    expect(queueLocks.lock('g', 'b', [first, second])).toEqual([second])
  })

  test('are given back by their owner only', () => {
    const { locks: queueLocks } = locks()
    queueLocks.lock('g', 'a', [first])
    queueLocks.unlock('g', 'b', [first])
    expect(queueLocks.lock('g', 'b', [first])).toEqual([])
    queueLocks.unlock('g', 'a', [first])
    expect(queueLocks.lock('g', 'b', [first])).toEqual([first])
  })

  test('tell whether a group consumes in order', () => {
    const { clock, locks: queueLocks } = locks()
    expect(queueLocks.hasLocks('g')).toBe(false)
    queueLocks.lock('g', 'a', [first])
    expect(queueLocks.hasLocks('g')).toBe(true)
    clock.time += LOCK_LIFE_MS + 1
    expect(queueLocks.hasLocks('g')).toBe(false)
  })

  test('go with their topic or group', () => {
    const { locks: queueLocks } = locks()
    queueLocks.lock('g', 'a', [first])
    queueLocks.lock('h', 'a', [{ topic: 'U', queueId: 0 }])
    queueLocks.removeTopic('T')
    queueLocks.removeGroup('h')
    expect(queueLocks.hasLocks('g')).toBe(false)
    expect(queueLocks.hasLocks('h')).toBe(false)
  })
})
