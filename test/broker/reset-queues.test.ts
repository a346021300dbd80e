import { expect, test } from 'vitest'
import { RequestFrame } from '../../src/broker/request-frame.ts'
import { ResetQueues } from '../../src/broker/reset-queues.ts'
import { encodeCommand, requestCommand } from '../../src/protocol/remoting-command.ts'
import { PullMessage } from '../../src/protocol/requests/pull.ts'

function pullOf(consumerGroup: string, topic: string, queueId: number) {
  const frame = encodeCommand(
    requestCommand(
      PullMessage.code,
      PullMessage.encodeHeader({
        consumerGroup,
        topic,
        queueId,
        queueOffset: 0,
        maxMsgNums: 1,
        sysFlag: 0,
        commitOffset: 0,
        suspendTimeoutMillis: 0,
        subVersion: 0,
      }),
    ),
  )
  const request = new RequestFrame()
  request.read(frame, 4, frame.length)
  return request.fields
}

test('pulls of the group in the queue are hit, and no others', () => {
  const resets = new ResetQueues()
  expect(resets.isHit(pullOf('g', 'T', 0))).toBe(false)
  expect(resets.apply('g', ['T@0', 'a@b@1'])).toEqual([
    { topic: 'T', queueId: 0 },
    { topic: 'a@b', queueId: 1 },
  ])
  expect(resets.isHit(pullOf('g', 'T', 0))).toBe(true)
  expect(resets.isHit(pullOf('g', 'T', 1))).toBe(false)
  expect(resets.isHit(pullOf('h', 'T', 0))).toBe(false)
  expect(resets.apply('g', ['T@0', 'T@2'])).toEqual([{ topic: 'T', queueId: 2 }])
  expect(resets.apply('g', [])).toEqual([])
  expect(resets.isHit(pullOf('g', 'T', 0))).toBe(false)
})
