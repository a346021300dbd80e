/** Transactions through a broker in a process of its own. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { messagesIn, type StoredMessage } from '../../src/protocol/message.ts'
import { encodeMessage } from '../../src/protocol/message-encoder.ts'
import { decodeOffsetMessageId } from '../../src/protocol/message-id.ts'
import { HeartBeat } from '../../src/protocol/requests/client.ts'
import {
  CheckTransactionState,
  EndTransaction,
  TransactionOutcome,
} from '../../src/protocol/requests/transaction.ts'
import { GetTopicConfig } from '../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import type { Settings } from '../support/broker-process.ts'
import { createTopic, maxOffset, properties, readQueue, sendTo } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startBroker } from '../support/started-broker.ts'

const GROUP = 'accounts'
const OFTEN = { transactionCheckInterval: 100, transactionTimeOut: 0 }
const { COMMIT, ROLLBACK, UNKNOWN } = TransactionOutcome

async function connected(settings: Settings = {}): Promise<RawClient> {
  const client = await (await startBroker(settings)).connect()
  await createTopic(client, 'T', { queues: 2 })
  return client
}

interface Half {
  offset: number
  position: number
}

async function sendHalf(client: RawClient, key: string): Promise<Half> {
  const text = properties({ UNIQ_KEY: key, TRAN_MSG: 'true', PGROUP: GROUP, TAGS: 'a' })
  const { msgId, queueOffset } = await sendTo(client, 'T', {
    queueId: 1,
    sysFlag: 0x4,
    properties: text,
  })
  return { offset: queueOffset, position: decodeOffsetMessageId(msgId).position }
}

function end(client: RawClient, half: Half, commitOrRollback: number, changes = {}) {
  return client.ask(EndTransaction, {
    producerGroup: GROUP,
    tranStateTableOffset: half.offset,
    commitLogOffset: half.position,
    commitOrRollback,
    fromTransactionCheck: false,
    ...changes,
  })
}

/** What consumers of queue 1 see, up to a message that is sent now. */
async function keysUntilNow(client: RawClient): Promise<(string | undefined)[]> {
  const text = properties({ UNIQ_KEY: 'last' })
  const { queueOffset } = await sendTo(client, 'T', { queueId: 1, properties: text })
  const messages = await readQueue(client, 'T', { queueId: 1, end: queueOffset + 1 })
  return messages.map((message) => message.properties.get('UNIQ_KEY'))
}

/** A producer of the group that is asked what became of its transactions. */
async function beProducer(client: RawClient): Promise<void> {
  const beat = { clientID: 'c', producerDataSet: [{ groupName: GROUP }], consumerDataSet: [] }
  const { code } = await client.ask(HeartBeat, {}, { body: Buffer.from(JSON.stringify(beat)) })
  expect(code).toBe(0)
}

async function nextCheck(client: RawClient, after = 0) {
  for (;;) {
    const found = client.received
      .slice(after)
      .find(({ code }) => code === CheckTransactionState.code)
    if (found !== undefined) return found
    await new Promise((resolve) => client.socket.once('data', resolve))
  }
}

/** As if the crash had come before it was written: the checksum of its body no longer fits. */
function loseNote(store: string, { position, body }: StoredMessage): void {
  const file = join(store, 'commitlog', '0'.repeat(20))
  const bytes = readFileSync(file)
  bytes[bytes.indexOf(body, position)]! ^= 1
  writeFileSync(file, bytes)
}

describe('a half message', () => {
  test('is seen by nobody until it is committed, and then once', async () => {
    const client = await connected()
    const half = await sendHalf(client, 'u1')
    expect(await keysUntilNow(client)).toEqual(['last'])
    for (const _ of [1, 2]) expect((await end(client, half, COMMIT)).code).toBe(0)
    expect(await keysUntilNow(client)).toEqual(['last', 'u1', 'last'])
    const [message] = await readQueue(client, 'T', { queueId: 1, from: 1, end: 2 })
    expect(message!.sysFlag).toBe(0x8)
    expect(message!.preparedTransactionOffset).toBe(half.position)
    expect(message!.properties.get('TAGS')).toBe('a')
    expect(Buffer.from(message!.body).toString()).toBe('body')
  })

  test('is seen by nobody when it is rolled back, whatever is said later', async () => {
    const client = await connected()
    const half = await sendHalf(client, 'u1')
    await end(client, half, UNKNOWN)
    await end(client, half, ROLLBACK)
    await end(client, half, COMMIT)
    expect(await keysUntilNow(client)).toEqual(['last'])
  })

  test('is ended only by who names it right', async () => {
    const client = await connected()
    const half = await sendHalf(client, 'u1')
    const wrong = [
      [{ producerGroup: 'others' }, 'The producer group wrong'],
      [{ tranStateTableOffset: 7 }, 'Find prepared transaction message failed'],
      [{ commitLogOffset: half.position + 1 }, 'Find prepared transaction message failed'],
    ] as const
    for (const [changes, remark] of wrong) {
      const answer = await end(client, half, COMMIT, changes)
      expect(answer).toMatchObject({ code: ResponseCode.SYSTEM_ERROR, remark })
    }
    expect(await keysUntilNow(client)).toEqual(['last'])
  })

  test('with a delay level waits after its commit', async () => {
    const client = await connected()
    const text = properties({ UNIQ_KEY: 'u1', TRAN_MSG: 'true', PGROUP: GROUP, DELAY: '1' })
    const { msgId, queueOffset } = await sendTo(client, 'T', { queueId: 1, properties: text })
    const { position } = decodeOffsetMessageId(msgId)
    await end(client, { offset: queueOffset, position }, COMMIT)
    expect(await keysUntilNow(client)).toEqual(['last'])
    const [message] = await readQueue(client, 'T', { queueId: 1, from: 1, end: 2 })
    expect(message!.properties.get('UNIQ_KEY')).toBe('u1')
  })
})

describe('a transaction that stays open', () => {
  test('makes the broker ask a producer of its group, and ends as that says', async () => {
    const client = await connected(OFTEN)
    await beProducer(client)
    const half = await sendHalf(client, 'u1')
    const check = await nextCheck(client)
    const header = CheckTransactionState.decodeHeader(check.extFields)
    expect(header).toMatchObject({
      topic: 'T',
      tranStateTableOffset: half.offset,
      commitLogOffset: half.position,
      transactionId: 'u1',
    })
    const [message] = messagesIn(check.body!)
    expect(message).toMatchObject({ topic: 'T', queueId: 1, position: half.position })
    await end(client, half, COMMIT, { fromTransactionCheck: true })
    expect(await keysUntilNow(client)).toEqual(['u1', 'last'])
  })

  test('is asked about after kill -9, too', async () => {
    const first = await startBroker()
    const client = await first.connect()
    await createTopic(client, 'T', { queues: 2 })
    const halves = [await sendHalf(client, 'u1'), await sendHalf(client, 'u2')]
    await end(client, halves[0]!, COMMIT)
    expect(await keysUntilNow(client)).toEqual(['u1', 'last'])
    await first.kill()
    const again = await (await startBroker(OFTEN, first.folder)).connect()
    await beProducer(again)
    const { extFields } = await nextCheck(again)
    expect(CheckTransactionState.decodeHeader(extFields).transactionId).toBe('u2')
    // What is said twice, by a producer that did not hear of the crash, is stored once.
    await end(again, halves[0]!, COMMIT)
    await end(again, halves[1]!, COMMIT)
    expect(await keysUntilNow(again)).toEqual(['u1', 'last', 'u2', 'last'])
  })

  // Levels: none, 5 minutes. A message that waits is in the log under another topic.
  test.each(['0', '9'])(
    'is committed once when the note of it is lost in a crash (DELAY %s)',
    async (DELAY) => {
      const first = await startBroker()
      const client = await first.connect()
      await createTopic(client, 'T', { queues: 2 })
      await sendTo(client, 'T', { queueId: 1, properties: properties({ UNIQ_KEY: 'first' }) })
      const text = properties({ UNIQ_KEY: 'u1', TRAN_MSG: 'true', PGROUP: GROUP, DELAY })
      const { msgId, queueOffset } = await sendTo(client, 'T', { queueId: 1, properties: text })
      const half = { offset: queueOffset, position: decodeOffsetMessageId(msgId).position }
      await end(client, half, COMMIT)
      const [note] = await readQueue(client, 'RMQ_SYS_TRANS_OP_HALF_TOPIC', { end: 1 })
      await first.kill()
      loseNote(first.store, note!)
      const again = await (await startBroker({}, first.folder)).connect()
      await end(again, half, COMMIT)
      const delivered = DELAY === '0' ? ['first', 'u1', 'last'] : ['first', 'last']
      expect(await keysUntilNow(again)).toEqual(delivered)
      expect(await maxOffset(again, 'SCHEDULE_TOPIC_XXXX', 8)).toBe(DELAY === '0' ? 0 : 1)
    },
  )

  test('is kept aside when nobody can say in all tries', async () => {
    const client = await connected({ ...OFTEN, transactionCheckMax: 1 })
    await beProducer(client)
    await sendHalf(client, 'u1')
    await nextCheck(client)
    let found: { code: number } = { code: -1 }
    while (found.code !== 0) {
      found = await client.ask(GetTopicConfig, { topic: 'TRANS_CHECK_MAX_TIME_TOPIC' })
    }
    const [message] = await readQueue(client, 'TRANS_CHECK_MAX_TIME_TOPIC', { end: 1 })
    expect(message!.properties.get('UNIQ_KEY')).toBe('u1')
    expect(await keysUntilNow(client)).toEqual(['last'])
  })
})

test('what looks like a half message in a body ends nothing', async () => {
  const client = await connected()
  const half = await sendHalf(client, 'u1')
  const [stored] = await readQueue(client, 'RMQ_SYS_TRANS_HALF_TOPIC', { end: 1 })
  // The next record of the same shape begins where this one ends; its body holds the forgery.
  const at = half.position + stored!.length
  const forged = { ...stored!, queueOffset: 1, topic: 'RMQ_SYS_TRANS_HALF_TOPIC' }
  const plain = await sendTo(client, 'T', { queueId: 1 }, { body: encodeMessage(forged) })
  const { position } = decodeOffsetMessageId(plain.msgId)
  expect(position).toBe(at)
  for (let from = position; from < position + 200; from++) {
    const answer = await end(client, { offset: half.offset, position: from }, ROLLBACK)
    expect(answer.code).toBe(ResponseCode.SYSTEM_ERROR)
  }
  await end(client, half, COMMIT)
  expect(await keysUntilNow(client)).toContain('u1')
})

test('transactions of a group that is gone do not keep others from being asked about', async () => {
  const client = await connected({ ...OFTEN, transactionCheckMax: 2 })
  const text = properties({ UNIQ_KEY: 'lost', TRAN_MSG: 'true', PGROUP: 'gone' })
  await sendTo(client, 'T', { queueId: 1, properties: text })
  await beProducer(client)
  await sendHalf(client, 'u1')
  const { extFields } = await nextCheck(client)
  expect(CheckTransactionState.decodeHeader(extFields).transactionId).toBe('u1')
})
