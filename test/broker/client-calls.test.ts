import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ClientCalls, QUESTION_LIMITS } from '../../src/broker/client-calls.ts'
import { requestCommand, responseTo } from '../../src/protocol/remoting-command.ts'
import { MemoryPeer } from './memory-peer.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const clock = { now: () => Date.now() }

test('an answer belongs to the call of its connection and its number', async () => {
  const calls = new ClientCalls(clock, QUESTION_LIMITS)
  const [one, other] = [new MemoryPeer(), new MemoryPeer()]
  const first = calls.call(one, requestCommand(307), 1000)
  const second = calls.call(other, requestCommand(307), 1000)
  const [toOne, toOther] = [one.sent[0]!, other.sent[0]!]
  expect(toOne.opaque).not.toBe(toOther.opaque)
  calls.onResponse(other.id, responseTo(toOne, 0, 'a lie')) // nobody answers for another
  calls.onResponse(other.id, responseTo(toOther, 0, 'second'))
  calls.onResponse(one.id, responseTo(toOne, 1, 'first'))
  expect(await first).toMatchObject({ code: 1, remark: 'first' })
  expect(await second).toMatchObject({ code: 0, remark: 'second' })
})

test('a call ends when its time is over, and a late answer is dropped', async () => {
  const calls = new ClientCalls(clock, QUESTION_LIMITS)
  const peer = new MemoryPeer()
  const call = calls.call(peer, requestCommand(307), 1000)
  const failed = expect(call).rejects.toMatchObject({ isTimeout: true })
  await vi.advanceTimersByTimeAsync(1000)
  await failed
  calls.onResponse(peer.id, responseTo(peer.sent[0]!, 0))
  expect(vi.getTimerCount()).toBe(0)
})

test('a call ends when the client goes, or the broker', async () => {
  const calls = new ClientCalls(clock, QUESTION_LIMITS)
  const [one, other] = [new MemoryPeer(), new MemoryPeer()]
  const ends = [one, other].map((peer) => {
    return expect(calls.call(peer, requestCommand(307), 1000)).rejects.toMatchObject({
      isTimeout: false,
    })
  })
  calls.connectionClosed(one.id)
  calls.close()
  await Promise.all(ends)
  expect(vi.getTimerCount()).toBe(0)
})

test('a client that does not answer takes a few places, not all of them', async () => {
  const calls = new ClientCalls(clock, QUESTION_LIMITS)
  const [silent, other] = [new MemoryPeer(), new MemoryPeer()]
  const open = Array.from({ length: 20 }, () => calls.call(silent, requestCommand(307), 1000))
  const settled = Promise.allSettled(open)
  const answered = calls.call(other, requestCommand(307), 1000)
  calls.onResponse(other.id, responseTo(other.sent[0]!, 0))
  await answered
  expect(silent.sent).toHaveLength(16)
  calls.close()
  const reasons = (await settled).map((each) => (each as PromiseRejectedResult).reason as Error)
  expect(reasons.filter(({ message }) => message.startsWith('too many requests'))).toHaveLength(4)
})
