import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteRing, type RingRecord } from '../../src/ring/byte-ring.ts'
import { checkRing, ringPayload } from './ring-records.ts'

const CAPACITY = 1024
/** Where positions are kept: near the end of 32 bits they wrap after a few records. */
const HEAD = 0
const TAIL = 16

function newRing(start = 0): ByteRing {
  const memory = ByteRing.allocate(CAPACITY)
  const words = new Int32Array(memory)
  words[HEAD] = start
  words[TAIL] = start
  return new ByteRing(memory)
}

function drainAll(ring: ByteRing, limit = 1000): RingRecord[] {
  const records: RingRecord[] = []
  ring.drain(limit, (type, first, second, payload) => {
    records.push({ type, first, second, payload: new Uint8Array(payload) })
  })
  return records
}

describe('a byte ring', () => {
  test('is a queue: whatever fits comes out once, in order and whole', () => {
    const { payloadMax } = newRing()
    const offer = fc.record({
      type: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      first: fc.integer(),
      second: fc.integer(),
      payload: fc.uint8Array({ maxLength: payloadMax }),
    })
    const drain = fc.integer({ min: 1, max: 12 })
    const starts = fc.constantFrom(0, -512, 2 ** 31 - 512, -(2 ** 31))
    fc.assert(
      fc.property(starts, fc.array(fc.oneof(offer, drain), { maxLength: 80 }), (start, steps) => {
        const ring = newRing(start)
        const model: RingRecord[] = []
        for (const step of steps) {
          if (typeof step === 'number') {
            expect(drainAll(ring, step)).toEqual(model.splice(0, step))
          } else if (ring.offer(step)) model.push(step)
          else expect(model.length).toBeGreaterThan(0)
        }
        expect(drainAll(ring)).toEqual(model)
      }),
      { numRuns: 200 },
    )
  })

  test('takes at least an eighth of its capacity at a time, and all of it in the end', () => {
    const ring = newRing()
    const payload = new Uint8Array(ring.payloadMax)
    let count = 0
    while (ring.offer({ type: 1, first: 0, second: 0, payload })) count++
    expect(count).toBe(8)
  })

  test('tells the producer of room once it has found none', () => {
    const ring = newRing()
    const payload = new Uint8Array(ring.payloadMax)
    expect(ring.takeWanted()).toBe(false)
    while (ring.offer({ type: 1, first: 0, second: 0, payload }));
    drainAll(ring, 1)
    expect(ring.takeWanted()).toBe(true)
    expect(ring.takeWanted()).toBe(false)
  })

  test('takes nothing bigger than it says', () => {
    const ring = newRing()
    const payload = new Uint8Array(ring.payloadMax + 1)
    expect(() => ring.offer({ type: 1, first: 0, second: 0, payload })).toThrow()
  })

  test('carries records between two threads', async () => {
    const count = 50_000
    const memory = ByteRing.allocate(4096)
    const url = new URL('./ring-producer.ts', import.meta.url)
    const worker = new Worker(url, { workerData: { memory, count } })
    const exit = new Promise<number>((resolve) => worker.once('exit', resolve))
    const ring = new ByteRing(memory)
    let next = 0
    while (next < count) {
      const taken = ring.drain(64, (type, first, second, payload) => {
        checkRing({ type, first, second, payload }, next)
        next++
      })
      if (taken === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await exit).toBe(0)
    expect(ringPayload(next).length).toBeLessThan(ring.payloadMax)
  })
})
