/** Sends that look well and have nowhere to go. */
import { expect, test } from 'vitest'
import { MessageFlag } from '../../src/protocol/message.ts'
import { SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { sendHeader } from '../support/messages.ts'
import { SteppedBroker } from '../support/stepped-broker.ts'

const body = Buffer.from('body')

test('a topic without queues takes no message, whatever queue the sender leaves to the broker', async () => {
  const broker = await SteppedBroker.open()
  broker.addTopic('None', 0)
  const client = await broker.connect()
  const opaque = client.send(SendMessageV2, sendHeader('None', { queueId: -1 }), { body })
  const { code, remark } = await client.replyTo(opaque)
  expect(code).toBe(ResponseCode.INVALID_PARAMETER)
  expect(remark).toMatch(/^queueId\[-1\] is illegal, topic\[None\]/)
  expect(broker.shared.appended.value()).toBe(0)
})

test('an inner batch is refused: its entries would be missing after a recovery', async () => {
  const broker = await SteppedBroker.open()
  broker.addTopic('T')
  const client = await broker.connect()
  const header = sendHeader('T', { sysFlag: MessageFlag.INNER_BATCH })
  const { code } = await client.ask(SendMessageV2, header, { body })
  expect(code).toBe(ResponseCode.MESSAGE_ILLEGAL)
  expect(broker.shared.appended.value()).toBe(0)
})
