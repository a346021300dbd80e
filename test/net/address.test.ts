import { expect, test } from 'vitest'

import { formatAddress, hostBytes, parseAddress, plainHost } from '../../src/net/address.ts'

test.each([
  ['127.0.0.1:9876', '127.0.0.1', 9876],
  ['broker-a.example:10911', 'broker-a.example', 10911],
  ['[fe80::1]:80', 'fe80::1', 80],
])('%s is read and written back', (address, host, port) => {
  expect(parseAddress(address)).toEqual({ host, port })
  expect(formatAddress({ host, port })).toBe(address)
})

test.each(['', '127.0.0.1', 'a:', ':1', 'a:65536', 'a:b', '[::1:5'])(
  '"%s" is no address, and the error shows it',
  (address) => expect(() => parseAddress(address)).toThrow(`"${address}" is no address`),
)

test('an IPv4 peer of an IPv6 socket counts as IPv4', () => {
  expect(plainHost('::ffff:10.1.2.3')).toBe('10.1.2.3')
  expect(plainHost('::1')).toBe('::1')
})

test.each([
  ['10.1.2.255', '0a0102ff'],
  ['::1', '00000000000000000000000000000001'],
  ['::', '00000000000000000000000000000000'],
  ['2001:db8::ff00:42:8329', '20010db8000000000000ff0000428329'],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['fe80::1%eth0', 'fe800000000000000000000000000001'],
  ['::ffff:1.2.3.4', '00000000000000000000ffff01020304'],
])('%s as bytes', (host, hex) => {
  expect(Buffer.from(hostBytes(host)).toString('hex')).toBe(hex)
})
