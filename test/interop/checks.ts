import { expect } from 'vitest'
import type { ClientProgram, Received, Sent } from './client-program.ts'

/** What must be the same on both sides. */
type Message = Pick<Sent, 'number' | 'queueId' | 'offset' | 'tag' | 'keys' | 'crc'>

const SHOWN_MAX = 10

/** Every sent message arrived once, from the place it was answered for, with its tag, keys and body. */
export function expectExactlyOnce(received: Received[], sent: Sent[]): void {
  expectNothingLost(received, sent)
  const expected = new Set(sent.map(describeMessage))
  expect(
    received
      .map(describeMessage)
      .filter((text) => !expected.has(text))
      .slice(0, SHOWN_MAX),
  ).toEqual([])
  expect(received.length).toBe(sent.length)
}

/** Every sent message arrived; more may have, and some of them again. */
export function expectNothingLost(received: Received[], sent: Sent[]): void {
  expect(sent.length).toBeGreaterThan(0)
  const arrived = new Set(received.map(describeMessage))
  expect(
    sent
      .map(describeMessage)
      .filter((text) => !arrived.has(text))
      .slice(0, SHOWN_MAX),
  ).toEqual([])
}

/** Within each queue, messages came in the order of their offsets. */
export function expectQueueOrder(received: Received[]): void {
  const last = new Map<number, number>()
  const late = received.filter(({ queueId, offset }) => {
    const isLate = offset <= (last.get(queueId) ?? -1)
    last.set(queueId, offset)
    return isLate
  })
  expect(late.slice(0, SHOWN_MAX)).toEqual([])
}

/** The queues a `Pull` has read begin at 0 and have one message at each offset below their max. */
export function expectDense(pull: ClientProgram): void {
  const expected = pull.of('queue').flatMap(({ queueId, minOffset, maxOffset }) => {
    expect(minOffset).toBe(0)
    return Array.from({ length: maxOffset }, (_, offset) => `${queueId}:${offset}`)
  })
  const read = pull.of('message').map(({ queueId, offset }) => `${queueId}:${offset}`)
  expect(expected.filter((place, index) => place !== read[index]).slice(0, SHOWN_MAX)).toEqual([])
  expect(read.length).toBe(expected.length)
}

/** No number was stored twice. */
export function expectNoRepeats(received: Received[]): void {
  const numbers = received.map(({ number }) => number).toSorted((a, b) => a - b)
  expect(
    numbers.filter((number, index) => number === numbers[index - 1]).slice(0, SHOWN_MAX),
  ).toEqual([])
}

function describeMessage({ number, queueId, offset, tag, keys, crc }: Message): string {
  return `message ${number} at ${queueId}:${offset} tag ${tag} keys ${keys} crc ${crc}`
}
