/** Request and reply through a broker in a process of its own. */
import { expect, test } from 'vitest'
import { HeartBeat } from '../../src/protocol/requests/client.ts'
import {
  PushReplyMessageToClient,
  SendReplyMessage,
  SendReplyMessageV2,
} from '../../src/protocol/requests/reply.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { decodeProperties } from '../../src/protocol/message.ts'
import type { Settings } from '../support/broker-process.ts'
import { maxOffset, properties, readQueue, sendHeader } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startBroker } from '../support/started-broker.ts'

const TOPIC = 'DefaultCluster_REPLY_TOPIC'
const { SYSTEM_ERROR, MESSAGE_ILLEGAL, INVALID_PARAMETER, NO_PERMISSION } = ResponseCode

async function produce(client: RawClient, clientID: string): Promise<RawClient> {
  const beat = { clientID, producerDataSet: [{ groupName: 'askers' }], consumerDataSet: [] }
  const { code } = await client.ask(HeartBeat, {}, { body: Buffer.from(JSON.stringify(beat)) })
  expect(code).toBe(0)
  return client
}

async function opened(settings: Settings = {}) {
  const server = await startBroker(settings)
  const replier = await server.connect()
  const asker = await produce(await server.connect(), 'asker')
  return { server, replier, asker }
}

function answerTo(clientId: string, changes = {}) {
  const pairs = { CORRELATION_ID: `of-${clientId}`, REPLY_TO_CLIENT: clientId, MSG_TYPE: 'reply' }
  return sendHeader(TOPIC, { properties: properties(pairs), ...changes })
}

const BODY = { body: Buffer.from('answer') }

test('an answer reaches the client that asked, whichever worker it is connected to, and is stored', async () => {
  const server = await startBroker({ networkWorkers: 4 })
  const askers = await Promise.all(
    Array.from({ length: 12 }, async (_, i) => produce(await server.connect(), `asker-${i}`)),
  )
  const repliers = await Promise.all(askers.map(() => server.connect()))
  const answers = repliers.map((replier, i) =>
    replier.ask(i % 2 === 0 ? SendReplyMessageV2 : SendReplyMessage, answerTo(`asker-${i}`), {
      body: Buffer.from(`answer ${i}`),
    }),
  )
  for (const [i, asker] of askers.entries()) {
    const pushed = await asker.asked(PushReplyMessageToClient.code)
    expect(Buffer.from(pushed.body!).toString()).toBe(`answer ${i}`)
    const header = PushReplyMessageToClient.decodeHeader(pushed.extFields)
    const { localAddress, localPort } = repliers[i]!.socket
    expect(header).toMatchObject({
      topic: TOPIC,
      queueId: 0,
      bornTimestamp: 1_700_000_000_000,
      bornHost: `${localAddress}:${localPort}`,
      storeHost: `127.0.0.1:${server.port}`,
    })
    const had = decodeProperties(header.properties!)
    expect(had.get('CORRELATION_ID')).toBe(`of-asker-${i}`)
    expect(Number(had.get('PUSH_REPLY_TIME'))).toBe(header.storeTimestamp)
    asker.respond(pushed)
  }
  const told = await Promise.all(answers)
  expect(told.map(({ code }) => code)).toEqual(told.map(() => 0))
  const offsets = told.map(({ reply }) => reply.queueOffset!)
  expect(offsets.toSorted((a, b) => a - b)).toEqual(told.map((_, i) => i))
  const stored = await readQueue(repliers[0]!, TOPIC, { end: 12 })
  for (const [i, offset] of offsets.entries()) {
    expect(Buffer.from(stored[offset]!.body).toString()).toBe(`answer ${i}`)
  }
})

test('the one who answers hears that the client is gone, or is not named; the answer is stored', async () => {
  const { replier, asker } = await opened()
  const gone = await replier.ask(SendReplyMessageV2, answerTo('nobody'), BODY)
  expect(gone).toMatchObject({
    code: SYSTEM_ERROR,
    remark: 'push reply message fail, channel of <nobody> not found.',
  })
  const unnamed = await replier.ask(SendReplyMessageV2, sendHeader(TOPIC), BODY)
  const remark = 'reply message properties[REPLY_TO_CLIENT] is null'
  expect(unnamed).toMatchObject({ code: SYSTEM_ERROR, remark })
  expect(await readQueue(replier, TOPIC, { end: 2 })).toHaveLength(2)
  asker.close()
})

test('the one who answers hears when the client does not take it, or goes meanwhile', async () => {
  const { replier, asker } = await opened()
  const refused = replier.ask(SendReplyMessageV2, answerTo('asker'), BODY)
  asker.respond(await asker.asked(PushReplyMessageToClient.code), SYSTEM_ERROR, 'no')
  const remark = 'push reply message to askerfail.'
  expect(await refused).toMatchObject({ code: SYSTEM_ERROR, remark })
  const after = asker.received.length
  const cut = replier.ask(SendReplyMessageV2, answerTo('asker'), BODY)
  await asker.asked(PushReplyMessageToClient.code, after)
  asker.close()
  expect(await cut).toMatchObject({ code: SYSTEM_ERROR, remark })
})

test('a client that is connected twice gets the answer where it came last', async () => {
  const { server, replier, asker } = await opened()
  const newer = await produce(await server.connect(), 'asker')
  const first = replier.ask(SendReplyMessageV2, answerTo('asker'), BODY)
  newer.respond(await newer.asked(PushReplyMessageToClient.code))
  expect((await first).code).toBe(0)
  newer.close()
  await newer.closed
  await expect
    .poll(async () => {
      const second = replier.ask(SendReplyMessageV2, answerTo('asker'), BODY)
      const pushed = asker.asked(PushReplyMessageToClient.code).then((it) => asker.respond(it))
      return (await Promise.race([second, pushed.then(() => second)])).code
    })
    .toBe(0)
})

test('answers are not stored when the broker is told not to', async () => {
  const { replier, asker } = await opened({ storeReplyMessageEnable: false })
  const answered = replier.ask(SendReplyMessageV2, answerTo('asker'), BODY)
  asker.respond(await asker.asked(PushReplyMessageToClient.code))
  const { code, reply } = await answered
  expect({ code, ...reply }).toMatchObject({ code: 0, msgId: '0', queueId: 0, queueOffset: 0 })
  expect(await maxOffset(replier, TOPIC, 0)).toBe(0)
})

test('a client gets as many answers at once as it waits for', async () => {
  const { replier, asker } = await opened()
  const answers = Array.from({ length: 300 }, () =>
    replier.ask(SendReplyMessageV2, answerTo('asker'), BODY),
  )
  const pushes = () => asker.received.filter(({ code }) => code === PushReplyMessageToClient.code)
  await expect.poll(() => pushes().length).toBe(300)
  pushes().forEach((each) => asker.respond(each))
  for (const answer of answers) expect((await answer).code).toBe(0)
})

test('what no broker could store is not passed on', async () => {
  const { replier, asker } = await opened({ maxMessageSize: 100 })
  const long = await replier.ask(SendReplyMessageV2, answerTo('asker'), { body: Buffer.alloc(101) })
  const wrongQueue = await replier.ask(SendReplyMessageV2, answerTo('asker', { queueId: 9 }), BODY)
  const forbidden = await replier.ask(
    SendReplyMessageV2,
    answerTo('asker', { topic: 'SCHEDULE_TOPIC_XXXX' }),
    BODY,
  )
  const codes = [long, wrongQueue, forbidden].map(({ code }) => code)
  expect(codes).toEqual([MESSAGE_ILLEGAL, INVALID_PARAMETER, NO_PERMISSION])
  expect(asker.received.map(({ code }) => code)).toEqual([0]) // its heartbeat
})
