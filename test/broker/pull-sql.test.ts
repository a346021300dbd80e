/** Pulls that choose messages by their properties. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KvTable } from '../../src/protocol/bodies/kv-table.ts'
import { GetBrokerRuntimeInfo } from '../../src/protocol/requests/broker.ts'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { ServerProcess, tempFolder } from '../support/broker-process.ts'
import {
  createTopic,
  holdingPull,
  maxOffset,
  messagesOf,
  properties,
  pullHeader,
  readQueue,
  sendTo,
} from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'

let broker: ServerProcess
let client: RawClient

beforeAll(async () => {
  broker = await ServerProcess.startBroker({ enablePropertyFilter: true }, tempFolder())
  client = await broker.connect()
  await createTopic(client, 'T')
  for (let nth = 0; nth < 50; nth++) {
    const text = properties({ n: String(nth), odd: String(nth % 2 === 1), UNIQ_KEY: `u${nth}` })
    await sendTo(client, 'T', { properties: text })
  }
  await readQueue(client, 'T', { end: 50 })
})
afterAll(() => broker?.dispose())

function wanting(subscription: string, changes = {}) {
  return pullHeader('T', { subscription, expressionType: 'SQL92', ...changes })
}

async function pulled(subscription: string, changes = {}): Promise<number[]> {
  const answer = await client.ask(PullMessage, wanting(subscription, changes))
  return messagesOf(answer).map(({ queueOffset }) => queueOffset)
}

test('only messages that match are in the reply, whole and in order', async () => {
  expect(await pulled('n BETWEEN 3 AND 6')).toEqual([3, 4, 5, 6])
  expect(await pulled("odd = TRUE AND n < 8 OR UNIQ_KEY = 'u9'")).toEqual([1, 3, 5, 7, 9])
  expect(await pulled('n IS NOT NULL', { queueOffset: 40 })).toEqual(
    Array.from({ length: 10 }, (_, nth) => 40 + nth),
  )
})

test('what a condition leaves out is not counted as delivered', async () => {
  const delivered = async () => {
    const { body } = await client.ask(GetBrokerRuntimeInfo, {})
    return Number(KvTable.decode(body).table.get('msgGetTotalTodayNow'))
  }
  const before = await delivered()
  expect(await pulled('n = 4', { maxMsgNums: 32 })).toEqual([4])
  expect((await delivered()) - before).toBe(1)
})

test('a pull goes on behind what it does not want', async () => {
  const { code, reply } = await client.ask(PullMessage, wanting('n = 45', { maxMsgNums: 8 }))
  expect(code).toBe(ResponseCode.PULL_RETRY_IMMEDIATELY)
  expect(reply.nextBeginOffset).toBe(8)
  expect(await pulled('n = 45', { queueOffset: 40, maxMsgNums: 8 })).toEqual([45])
})

test('a held pull is answered by the first message that matches, not by others', async () => {
  const header = holdingPull('T', {
    subscription: "colour = 'red'",
    expressionType: 'SQL92',
    queueOffset: 50,
  })
  const held = client.send(PullMessage, header)
  for (const colour of ['blue', 'green', 'red']) {
    await sendTo(client, 'T', { properties: properties({ colour }) })
  }
  const [message] = messagesOf(await client.replyTo(held))
  expect(message!.queueOffset).toBe(52)
})

test('an expression that is none is refused, with the place of the mistake', async () => {
  const { code, remark } = await client.ask(PullMessage, wanting('n = = 5'))
  expect(code).toBe(ResponseCode.SUBSCRIPTION_PARSE_FAILED)
  expect(remark).toMatch(/at position 5$/)
})

test('without enablePropertyFilter the broker says that it does not filter so', async () => {
  const plain = await ServerProcess.startBroker({}, tempFolder())
  try {
    const other = await plain.connect()
    await createTopic(other, 'T')
    const { code, remark } = await other.ask(PullMessage, wanting('n = 5'))
    expect(code).toBe(ResponseCode.SYSTEM_ERROR)
    expect(remark).toBe('The broker does not support consumer to filter message by SQL92')
    expect(await maxOffset(other, 'T', 0)).toBe(0)
  } finally {
    await plain.dispose()
  }
})
