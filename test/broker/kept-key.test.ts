import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { keptKey } from '../../src/broker/kept-key.ts'
import { decodeProperties } from '../../src/protocol/message.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test('keys that are kept do not keep the properties that they came with', () => {
  const text = (nth: number) =>
    `UNIQ_KEY\u0001${'k'.repeat(30)}${nth}\u0002A\u0001${'x'.repeat(30_000)}`
  collect()
  const before = process.memoryUsage().heapUsed
  const kept = Array.from({ length: 2000 }, (_, nth) => {
    const received = Buffer.from(text(nth)).toString()
    return keptKey(decodeProperties(received).get('UNIQ_KEY')!)
  })
  collect()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000)
  expect(new Set(kept).size).toBe(2000)
})

test('a long key is kept as a digest, and another one as another', () => {
  const long = 'k'.repeat(65_000)
  expect(keptKey(long)).toHaveLength(64)
  expect(keptKey(`${long}1`)).not.toBe(keptKey(long))
  expect(keptKey('é1')).toBe('é1')
})
