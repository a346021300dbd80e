import { beforeEach, expect, test } from 'vitest'
import type { ClientSession } from '../../src/broker/client-session.ts'
import { type HeldPull, HeldPulls } from '../../src/broker/held-pulls.ts'
import { Rows } from '../../src/ring/rows.ts'

const WORKER = 3

let rows: Rows
let held: HeldPulls
beforeEach(() => {
  rows = new Rows(Rows.allocate(16))
  held = new HeldPulls(rows, WORKER)
})

function session(): ClientSession {
  return { held: new Set<HeldPull>() } as ClientSession
}

function pull(changes: Partial<HeldPull> = {}): HeldPull {
  return {
    session: session(),
    opaque: 0,
    serializeType: 0,
    topic: 'T',
    queueId: 0,
    counter: 0,
    row: 0,
    offset: 0,
    countMax: 32,
    filter: { tags: null, sql: null },
    ttlMs: 0,
    deadlineMs: 10_000,
    ...changes,
  }
}

test('a parked pull sets the bit of its worker, and is taken when its queue moves', () => {
  const [first, second, other] = [pull(), pull(), pull({ row: 1 })]
  for (const each of [first, second, other]) expect(held.park(each)).toBe(true)
  expect(held.count).toBe(3)
  expect(rows.takeWaiters(0)).toBe(1 << WORKER)
  expect(held.take(0)).toEqual([first, second])
  expect(held.take(0)).toEqual([])
  expect(held.count).toBe(1)
})

test('a message that came in between is not missed: the pull is not parked', () => {
  rows.publishMax(0, 1)
  const late = pull()
  expect(held.park(late)).toBe(false)
  expect(held.count).toBe(0)
  expect(late.session.held.size).toBe(0)
  expect(held.nextDeadline).toBe(Infinity)
  expect(held.park(pull({ offset: 1 }))).toBe(true)
})

test('pulls whose time is over are taken together, within 50 ms of it and never before', () => {
  const deadlines = [1000, 1010, 1049, 1060, 2000]
  for (const [row, deadlineMs] of deadlines.entries()) held.park(pull({ row, deadlineMs }))
  expect(held.nextDeadline).toBe(1000)
  expect(held.takeExpired(999)).toEqual([])
  expect(held.takeExpired(1000).map(({ deadlineMs }) => deadlineMs)).toEqual([1000])
  expect(held.nextDeadline).toBe(1050)
  expect(held.takeExpired(1100).map(({ deadlineMs }) => deadlineMs)).toEqual([1010, 1049, 1060])
  expect(held.nextDeadline).toBe(2000)
  expect(held.takeExpired(1_000_000)).toHaveLength(1)
  expect(held.nextDeadline).toBe(Infinity)
})

test('a connection that is gone takes its pulls along, and no others', () => {
  const leaver = session()
  const stays = pull({ row: 2 })
  held.park(stays)
  for (let row = 0; row < 5; row++) held.park(pull({ row, session: leaver }))
  held.dropSession(leaver)
  expect(held.count).toBe(1)
  expect(held.take(2)).toEqual([stays])
  held.dropSession(leaver)
})

test('one connection holds a bounded number', () => {
  const greedy = session()
  let count = 0
  while (held.hasRoom(greedy)) {
    held.park(pull({ session: greedy }))
    count++
  }
  expect(count).toBe(16_384)
  expect(held.hasRoom(session())).toBe(true)
})

test('a hundred thousand held pulls end, leave and wake in no time', () => {
  const sessions = Array.from({ length: 10_000 }, session)
  const startedAt = performance.now()
  for (const [nth, each] of sessions.entries()) {
    for (let i = 0; i < 10; i++) {
      held.park(pull({ session: each, row: nth & 15, deadlineMs: 1000 + nth + i }))
    }
  }
  for (let now = 1000; now < 6000; now += 10) held.takeExpired(now)
  for (const each of sessions) held.dropSession(each)
  expect(held.count).toBe(0)
  expect(performance.now() - startedAt).toBeLessThan(5000)
})
