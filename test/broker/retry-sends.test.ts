/** What main and network workers must see alike. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConsumerSendMsgBack } from '../../src/protocol/requests/retry.ts'
import { SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { ServerProcess } from '../support/broker-process.ts'
import { createTopic, properties, readQueue, sendHeader, sendTo } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'

const BODY = { body: Buffer.from('b') }

let closed: ServerProcess
let open: ServerProcess
let client: RawClient

beforeAll(async () => {
  closed = await ServerProcess.startBroker({ brokerPermission: 4 })
  open = await ServerProcess.startBroker({})
  client = await open.connect()
})
afterAll(() => Promise.all([closed?.dispose(), open?.dispose()]))

test('a broker that takes no messages takes none that come back either', async () => {
  const readOnly = await closed.connect()
  const back = { offset: 0, group: 'g', delayLevel: 1, unitMode: false }
  const answers = [
    await readOnly.ask(SendMessageV2, sendHeader('T'), BODY),
    await readOnly.ask(SendMessageV2, sendHeader('%RETRY%g'), BODY),
    await readOnly.ask(ConsumerSendMsgBack, back),
  ]
  const remark = 'the broker[127.0.0.1] sending message is forbidden'
  for (const answer of answers) {
    expect(answer).toMatchObject({ code: ResponseCode.NO_PERMISSION, remark })
  }
})

test('a delay level beyond the last one waits, and is stored, as the last', async () => {
  await createTopic(client, 'T')
  await sendTo(client, 'T', { properties: properties({ DELAY: '99', UNIQ_KEY: 'sent' }) })
  const text = properties({ DELAY: '99', UNIQ_KEY: 'retried' })
  await client.ask(SendMessageV2, sendHeader('%RETRY%g', { properties: text }), BODY)
  const messages = await readQueue(client, 'SCHEDULE_TOPIC_XXXX', { queueId: 17, end: 2 })
  const levels = messages.map((each) => [
    each.properties.get('UNIQ_KEY'),
    each.properties.get('DELAY'),
  ])
  expect(levels).toEqual([
    ['sent', '18'],
    ['retried', '18'],
  ])
})
