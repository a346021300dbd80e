import { expect, test } from 'vitest'
import { linkEnds, ThreadLink } from '../../src/broker/thread-link.ts'
import { Signal } from '../../src/ring/signal.ts'

const RING = 64 * 1024
const MIB = 1024 * 1024

interface Got {
  type: number
  first: number
  second: number
  payload: Buffer
}

function openLink() {
  const [ours, theirs] = linkEnds(RING)
  for (const { port } of [ours, theirs]) port.unref()
  const signal = new Signal(new Int32Array(new SharedArrayBuffer(64)), 0)
  return { near: new ThreadLink(ours, signal), far: new ThreadLink(theirs, signal) }
}

/** Takes what has come; the other side sends on what waited for room. */
function takeAll(from: ThreadLink, to: ThreadLink): Got[] {
  const got: Got[] = []
  let before: number
  do {
    before = got.length
    to.drain((type, first, second, payload) => {
      got.push({ type, first, second, payload: Buffer.from(payload) })
    })
    from.drain(() => undefined)
  } while (got.length > before)
  return got
}

/** Lengths around every limit: empty, small, the longest for the ring, and beyond. */
const LENGTHS = [0, 1, 7, 8, 100, RING / 8 - 16, RING / 8 - 15, 20_000, 0, 300_000]

test('records come out as they went in, in order, whatever their size', () => {
  const { near, far } = openLink()
  const sent = Array.from({ length: 5000 }, (_, nth) => ({
    type: (nth % 8) + 1,
    first: nth,
    second: -nth,
    payload: Buffer.alloc(LENGTHS[nth % LENGTHS.length]! % 70_000, nth),
  }))
  for (const record of sent) near.send(record)
  const got = takeAll(near, far)
  expect(got.length).toBe(5000)
  expect(got.every(({ first }, nth) => first === nth)).toBe(true)
  for (const [nth, record] of got.entries()) {
    const { type, second, payload } = sent[nth]!
    expect(record.type === type && record.second === second).toBe(true)
    expect(record.payload.equals(payload)).toBe(true)
  }
})

test('a record may be changed by its sender as soon as it is sent', () => {
  const { near, far } = openLink()
  const payload = Buffer.alloc(20_000)
  for (let nth = 0; nth < 10; nth++) {
    for (const length of [10, 20_000]) {
      near.send({ type: 1, first: nth, second: 0, payload: payload.fill(nth).subarray(0, length) })
    }
  }
  payload.fill(0xff)
  for (const { first, payload: got } of takeAll(near, far)) {
    expect(got.equals(Buffer.alloc(got.length, first))).toBe(true)
  }
})

test.each([100, 20_000])(
  'it is full when 32 MiB wait, and not any more when they are taken (%i)',
  (length) => {
    const { near, far } = openLink()
    const payload = Buffer.alloc(length)
    let count = 0
    for (; !near.isFull; count++) near.send({ type: 1, first: count, second: 0, payload })
    expect(count * (length + 128)).toBeGreaterThan(30 * MIB)
    expect(count * length).toBeLessThan(34 * MIB)
    expect(far.isFull).toBe(false)
    near.send({ type: 2, first: 0, second: 0, payload: Buffer.from('sent all the same') })
    const got = takeAll(near, far)
    expect(got.length).toBe(count + 1)
    expect(String(got.at(-1)!.payload)).toBe('sent all the same')
    expect(near.isFull).toBe(false)
  },
)

test('a sender without room is woken when there is some', () => {
  const [ours, theirs] = linkEnds(RING)
  for (const { port } of [ours, theirs]) port.unref()
  const words = new Int32Array(new SharedArrayBuffer(64))
  const near = new ThreadLink(ours, new Signal(words, 4))
  const far = new ThreadLink(theirs, new Signal(words, 0)) // wakes near
  for (let nth = 0; nth < 100; nth++) {
    near.send({ type: 1, first: nth, second: 0, payload: Buffer.alloc(1000) })
  }
  far.drain(() => undefined)
  far.flush()
  expect(words[0]).toBeGreaterThan(0)
})
