import { expect, test } from 'vitest'
import { tracesOf } from '../../src/mqadmin/trace-records.ts'

/** Fields and records as clients of Apache 5.3.3 separate them. */
function traces(...records: string[][]) {
  const body = records.map((fields) => `${fields.join('\u0001')}\u0002`).join('')
  return tracesOf({ body: Buffer.from(body), bornHost: '10.0.0.7:1234' })
}

const PUB = ['Pub', '1000', 'R', 'PG', 'T', 'ID', 'tag', 'key', 'h:1', '5', '25', '0']

test('what a producer says is read, also without the id of the broker', () => {
  const wanted = { type: 'Pub', group: 'PG', msgId: 'ID', costMs: 25, clientHost: '10.0.0.7' }
  expect(traces([...PUB, 'OFFSETID', 'true'])).toMatchObject([{ ...wanted, isSuccess: true }])
  expect(traces([...PUB, 'OFFSETID', 'false'])).toMatchObject([{ ...wanted, isSuccess: false }])
  expect(traces([...PUB, 'true'])).toMatchObject([{ ...wanted, isSuccess: true }])
})

test('what a consumer says after consuming is completed by what it said before', () => {
  const before = ['SubBefore', '2000', 'R', 'GID', 'REQ', 'ID', '0', 'key']
  const after = ['SubAfter', 'REQ', 'ID', '7', 'true', 'key', '0']
  expect(traces(before, after)[1]).toMatchObject({
    type: 'SubAfter',
    group: 'GID',
    timestamp: 2000,
    costMs: 7,
  })
  expect(traces(before, [...after, '3000', 'OWN'])[1]).toMatchObject({
    group: 'OWN',
    timestamp: 3000,
  })
})

test('records that nobody knows are passed over', () => {
  expect(traces(['Future', '1'], [...PUB, 'OFFSETID', 'true'])).toHaveLength(1)
})
