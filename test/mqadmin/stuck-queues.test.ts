import { expect, test } from 'vitest'
import { stuckQueues } from '../../src/mqadmin/stuck-queues.ts'
import { ConsumerRunningInfo } from '../../src/protocol/bodies/running-info.ts'

const NOW = 1_000_000

/** What is said of a consumer with one queue. */
function told(type: string, isOrderly: boolean, queue: Record<string, unknown>): string[] {
  const key = '{"brokerName":"b","queueId":1,"topic":"T"}'
  const properties = { PROP_CONSUME_TYPE: type, PROP_CONSUMEORDERLY: String(isOrderly) }
  const text = `{"properties":${JSON.stringify(properties)},"mqTable":{${key}:${JSON.stringify(queue)}}}`
  return stuckQueues('c', ConsumerRunningInfo.decode(Buffer.from(text)), NOW)
}

const at = 'c MessageQueue [topic=T, brokerName=b, queueId=1]'

test.each([
  [
    'CONSUME_PASSIVELY',
    false,
    { cachedMsgCount: 1, lastConsumeTimestamp: NOW - 60_001 },
    `${at} can't consume for a while, maybe blocked, 60001ms`,
  ],
  ['CONSUME_PASSIVELY', false, { cachedMsgCount: 1, lastConsumeTimestamp: NOW - 60_000 }, null],
  ['CONSUME_PASSIVELY', false, { cachedMsgCount: 0, lastConsumeTimestamp: 0 }, null],
  [
    'CONSUME_PASSIVELY',
    true,
    { locked: false, lastLockTimestamp: NOW - 5 },
    `${at} can't lock for a while, 5ms`,
  ],
  [
    'CONSUME_PASSIVELY',
    true,
    { locked: true, droped: true, tryUnlockTimes: 3 },
    `${at} unlock 3 times, still failed`,
  ],
  ['CONSUME_PASSIVELY', true, { locked: true, droped: true, tryUnlockTimes: 0 }, null],
  ['CONSUME_PASSIVELY', true, { locked: true, cachedMsgCount: 9 }, null],
  ['CONSUME_ACTIVELY', false, { cachedMsgCount: 1, lastConsumeTimestamp: 0 }, null],
])('%s, orderly %s, %j: %s', (type, isOrderly, queue, expected) => {
  expect(told(type, isOrderly, queue)).toEqual(expected === null ? [] : [expected])
})
