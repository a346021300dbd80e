/** Records as Apache 5.3.3 wrote them: the first four from a store of its broker (golden `pop`). */
import { describe, expect, test } from 'vitest'
import {
  ackJson,
  checkPointJson,
  readAck,
  readCheckPoint,
} from '../../../src/broker/pop/check-point.ts'

const CHECK_POINT =
  '{"bm":0,"bn":"golden-a","c":"CG_pop","d":[0,1],"it":15000,"n":2,"pt":1795453930656,"q":0,"reviveTime":1795453945656,"ro":0,"so":0,"t":"TopicPop"}'
const ACK = '{"ao":1,"bn":"golden-a","c":"CG_pop","pt":1795453930656,"q":0,"so":0,"t":"TopicPop"}'

describe('a check point', () => {
  test('is written as Apache writes it', () => {
    const point = readCheckPoint(Buffer.from(CHECK_POINT), 'b')!
    expect(point).toMatchObject({ offsets: [0, 1], invisibleTime: 15_000, group: 'CG_pop' })
    expect(checkPointJson(point)).toBe(CHECK_POINT)
  })

  test('of an old broker names no members: they follow one another', () => {
    const old = '{"bm":0,"c":"g","it":1,"n":3,"pt":5,"q":0,"so":7,"t":"T"}'
    const point = readCheckPoint(Buffer.from(old), 'own')
    expect(point).toMatchObject({ offsets: [7, 8, 9], brokerName: 'own' })
  })

  test.each([
    '',
    '[]',
    '{',
    '{"t":"T"}',
    CHECK_POINT.replace('"n":2', '"n":0'),
    CHECK_POINT.replace('"pt":', '"p":'),
  ])('is none: %j', (wrong) => expect(readCheckPoint(Buffer.from(wrong), 'b')).toBe(null))
})

describe('an ack', () => {
  test('is written as Apache writes it', () => {
    const ack = readAck(Buffer.from(ACK), 'b')!
    expect(ack.offsets).toEqual([1])
    expect(ackJson(ack)).toBe(ACK)
  })

  test('of more than one message lists them', () => {
    const ack = { ...readAck(Buffer.from(ACK), 'b')!, offsets: [0, 1] }
    const text = ackJson(ack)
    expect(text).toContain('"aol":[0,1]')
    expect(readAck(Buffer.from(text), 'b')).toEqual(ack)
  })

  test('may have long names', () => {
    const long =
      '{"ackOffset":3,"brokerName":"b","consumerGroup":"g","popTime":5,"queueId":1,"startOffset":2,"topic":"T"}'
    expect(readAck(Buffer.from(long), 'own')).toMatchObject({
      offsets: [3],
      group: 'g',
      brokerName: 'b',
      startOffset: 2,
    })
  })
})
