import { describe, expect, test } from 'vitest'
import { viewOf } from '../../src/base/bytes.ts'
import { lightEntriesOf } from '../../src/store/light-entries.ts'
import { readRecord, RecordParts } from '../../src/store/log-record.ts'
import { messageBytes } from '../support/records.ts'

function entriesOf(pairs: Record<string, string>, topic = 'T') {
  const properties = Object.entries(pairs)
    .map(([name, value]) => `${name}\u0001${value}\u0002`)
    .join('')
  const bytes = messageBytes({ topic, properties })
  const parts = new RecordParts()
  readRecord(parts, viewOf(bytes), 0, bytes.length)
  return lightEntriesOf(bytes, parts)
}

function named(names: string, offsets: string) {
  return { INNER_MULTI_DISPATCH: names, INNER_MULTI_QUEUE_OFFSET: offsets }
}

describe('a record', () => {
  test('stands in the light queues that it names, as it says', () => {
    expect(entriesOf({ TAGS: 'a', ...named('%LMQ%x,%LMQ%y', '3,0'), KEYS: 'b' })).toEqual([
      { topic: '%LMQ%x', offset: 3 },
      { topic: '%LMQ%y', offset: 0 },
    ])
    expect(entriesOf(named('%LMQ%x,', '5,'))).toEqual([{ topic: '%LMQ%x', offset: 5 }])
  })

  test.each([
    ['without offsets', { INNER_MULTI_DISPATCH: '%LMQ%x' }],
    ['without names', { INNER_MULTI_QUEUE_OFFSET: '1' }],
    ['with more names than offsets', named('%LMQ%x,%LMQ%y', '1')],
    ['with offsets that are none', named('%LMQ%x,%LMQ%y', '-1,1e3')],
    ['with an offset that no number holds', named('%LMQ%x', '9999999999999999')],
    ['with names of other topics', named('T2', '1')],
  ])('%s stands in none', (_, pairs) => {
    expect(entriesOf(pairs)).toEqual([])
  })

  test.each(['%RETRY%g', 'rmq_sys_wheel_timer', 'SCHEDULE_TOPIC_XXXX'])(
    'of %s stands in none',
    (topic) => {
      expect(entriesOf(named('%LMQ%x', '0'), topic)).toEqual([])
    },
  )
})
