import { expect, test } from 'vitest'
import { runCrashLoop } from '../support/crash-loop.ts'
import { bodyOf, Ledger, NO_FAULTS, type Sent } from '../support/ledger.ts'
import { messagesIn } from '../../src/protocol/message.ts'
import { storedMessage } from '../protocol/stored-message.ts'

test('kill -9 under load loses nothing that was answered for, with 1, 2 and 4 workers and both flush modes', async () => {
  const seed = Date.now() % 1_000_000
  const report = await runCrashLoop({ cycles: 8, seed, sendsMax: 800 })
  expect({ ...report, cycles: report.cycles.length }).toEqual({
    seed,
    acknowledged: expect.any(Number) as number,
    seen: expect.any(Number) as number,
    refused: expect.any(Number) as number,
    stored: expect.any(Number) as number,
    faults: NO_FAULTS,
    topicsLost: 0,
    cycles: 8,
  })
  expect(report.acknowledged).toBeGreaterThan(100)
  expect(report.stored).toBeGreaterThanOrEqual(report.acknowledged)
}, 180_000)

const MESSAGES: Sent[] = [
  { producer: 0, sequence: 0 },
  { producer: 1, sequence: 0 },
  { producer: 0, sequence: 1 },
]

function stored(messages: readonly Sent[], offsets = [0, 1, 2, 3]) {
  const records = messages.map((sent, nth) => {
    return storedMessage({ topic: 'T', queueOffset: offsets[nth]!, body: bodyOf(sent) })
  })
  return [...messagesIn(Buffer.concat(records))]
}

function ledgerOf(messages: readonly Sent[]): Ledger {
  const ledger = new Ledger(1)
  for (const [offset, sent] of messages.entries()) ledger.acknowledge(0, offset, sent)
  for (const message of stored(messages)) ledger.see(message)
  return ledger
}

test('the ledger of the crash loop finds nothing where nothing is wrong', () => {
  expect(ledgerOf(MESSAGES).check(0, stored(MESSAGES))).toEqual(NO_FAULTS)
  expect(new Ledger(1).check(0, stored(MESSAGES))).toEqual(NO_FAULTS)
})

test.each([
  ['a lost message', stored(MESSAGES.slice(0, 2)), { lost: 1, changed: 1 }],
  [
    'a message in the place of another',
    stored([MESSAGES[1]!, MESSAGES[0]!, MESSAGES[2]!]),
    { lost: 2, changed: 2 },
  ],
  ['a hole', stored(MESSAGES, [0, 2, 3]), { holes: 2, changed: 1 }],
  ['a message twice', stored([...MESSAGES, MESSAGES[2]!]), { disordered: 1 }],
])('it finds %s', (_, messages, faults) => {
  expect(ledgerOf(MESSAGES).check(0, messages)).toMatchObject(faults)
})

test('it finds a damaged body', () => {
  const messages = stored(MESSAGES)
  messages[1]!.body = Buffer.from('1:0:something else')
  const faults = { ...NO_FAULTS, damaged: 1, lost: 1, changed: 1 }
  expect(ledgerOf(MESSAGES).check(0, messages)).toEqual(faults)
})
