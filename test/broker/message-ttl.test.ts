/** Messages that are older than the attribute message.ttl.ms of their topic allows. */
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RecordFilter } from '../../src/broker/record-filter.ts'
import { SqlFilter } from '../../src/filter/sql-filter.ts'
import { encodeMessage } from '../../src/protocol/message-encoder.ts'
import { messagesIn } from '../../src/protocol/message.ts'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import {
  createTopic,
  holdingPull,
  messagesOf,
  pullHeader,
  readQueue,
  sendTo,
  setTopic,
} from '../support/messages.ts'
import { startBroker } from '../support/started-broker.ts'
import { pop } from '../support/pops.ts'
import { SteppedBroker } from '../support/stepped-broker.ts'

const HOUR = 3_600_000
const HOST = Buffer.from('7f00000100002a9f', 'hex')
const PLAIN = {
  length: 0,
  topic: 'T',
  queueId: 0,
  position: 0,
  sysFlag: 0,
  flag: 0,
  bodyCrc: 0,
  bornTimestamp: 0,
  bornHost: HOST,
  storeHost: HOST,
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  body: Buffer.from('body'),
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

async function opened() {
  const broker = await SteppedBroker.open()
  broker.addTopic('T')
  broker.addGroup('consumers')
  const client = await broker.connect()
  const send = async () => {
    await sendTo(client, 'T')
    broker.dispatch()
  }
  const pull = (changes = {}) => client.ask(PullMessage, pullHeader('T', changes))
  return { broker, client, send, pull }
}

test('are passed over by pulls, the others are delivered', async () => {
  const { broker, send, pull } = await opened()
  for (let i = 0; i < 3; i++) await send()
  vi.setSystemTime(Date.now() + HOUR)
  await send()
  expect(messagesOf(await pull())).toHaveLength(4)
  broker.addTopic('T', 1, HOUR)
  expect(messagesOf(await pull())).toHaveLength(4) // as old as that is not older
  vi.setSystemTime(Date.now() + 1)
  const rest = await pull()
  expect(messagesOf(rest).map(({ queueOffset }) => queueOffset)).toEqual([3])
  expect(rest.reply).toMatchObject({ nextBeginOffset: 4, maxOffset: 4 })
  broker.addTopic('T')
  expect(messagesOf(await pull())).toHaveLength(4)
})

test('lead a pull on when there is nothing else, or let it wait for what comes', async () => {
  const { broker, client, send, pull } = await opened()
  for (let i = 0; i < 100; i++) await send()
  broker.addTopic('T', 1, HOUR)
  vi.setSystemTime(Date.now() + 2 * HOUR)
  const { code, reply } = await pull()
  expect({ code, next: reply.nextBeginOffset }).toEqual({
    code: ResponseCode.PULL_RETRY_IMMEDIATELY,
    next: 32,
  })
  const held = client.ask(PullMessage, holdingPull('T'))
  await pull({ queueOffset: 100 }) // answered behind the one that is held
  await send()
  expect(messagesOf(await held).map(({ queueOffset }) => queueOffset)).toEqual([100])
})

test('are found by the same rule together with a condition on properties', () => {
  const at = 1_700_000_000_000
  const message = fc.record({
    age: fc.integer({ min: 0, max: 100 }),
    colour: fc.constantFrom('red', 'blue'),
  })
  const filter = new RecordFilter()
  const sql = SqlFilter.of("colour = 'red'")
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 40 }),
      fc.integer({ min: 0, max: 100 }),
      fc.boolean(),
      (messages, ttl, isFiltered) => {
        const bytes = Buffer.concat(
          messages.map(({ age, colour }, queueOffset) =>
            encodeMessage({
              ...PLAIN,
              queueOffset,
              storeTimestamp: at - age,
              properties: new Map([['colour', colour]]),
            }),
          ),
        )
        const condition = { sql: isFiltered ? sql : null, since: at - ttl }
        const length = filter.keep(condition, bytes, 0, bytes.length)
        const kept = [...messagesIn(bytes.subarray(0, length))].map(
          ({ queueOffset }) => queueOffset,
        )
        const wanted = messages.flatMap(({ age, colour }, nth) =>
          age <= ttl && (!isFiltered || colour === 'red') ? [nth] : [],
        )
        expect(kept).toEqual(wanted)
        expect(filter.count).toBe(wanted.length)
      },
    ),
  )
})

test('are said to be so by an attribute, which may change at any time', async () => {
  vi.useRealTimers()
  const client = await (await startBroker()).connect()
  await createTopic(client, 'T')
  for (let i = 0; i < 3; i++) await sendTo(client, 'T')
  await readQueue(client, 'T', { end: 3 })
  const set = (attributes: string) => setTopic(client, 'T', { attributes })
  const pull = () => client.ask(PullMessage, pullHeader('T'))
  expect((await set('+message.ttl.ms=0')).code).toBe(ResponseCode.INVALID_PARAMETER)
  expect((await set(`+message.ttl.ms=${HOUR}`)).code).toBe(0)
  expect(messagesOf(await pull())).toHaveLength(3)
  expect((await set('+message.ttl.ms=1')).code).toBe(0)
  await expect.poll(async () => (await pull()).code).toBe(ResponseCode.PULL_RETRY_IMMEDIATELY)
  expect((await pop(client, 'T', { consumerGroup: 'late' })).popped).toHaveLength(0)
  expect((await set('-message.ttl.ms')).code).toBe(0)
  expect(messagesOf(await pull())).toHaveLength(3)
  expect((await pop(client, 'T', { consumerGroup: 'others' })).popped).toHaveLength(3)
})
