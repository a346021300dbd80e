import { expect, test } from 'vitest'

import { nearestName } from '../../src/config/nearest-name.ts'

const names = ['flushDiskType', 'brokerName', 'brokerId', 'listenPort']

test.each([
  ['flushDiskTyp', 'flushDiskType'],
  ['brokername', 'brokerName'],
  ['broker_name', 'brokerName'],
  ['listen.port', 'listenPort'],
  ['brokerID', 'brokerId'],
])('%s is taken for %s', (written, expected) => {
  expect(nearestName(written, names)).toBe(expected)
})

test('a word that resembles nothing has no nearest name', () => {
  expect(nearestName('enableNameServerAddressResolve', names)).toBeNull()
})
