/** Sends on a disk so slow that flush does the writing. It does when a test says so. */
import { expect, test } from 'vitest'
import { SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { sendHeader, sendTo } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { SteppedBroker } from '../support/stepped-broker.ts'

const BODY = Buffer.from('body')

async function stalledBroker(): Promise<SteppedBroker> {
  const broker = await SteppedBroker.open()
  broker.addTopic('T')
  broker.shared.setStalled(true)
  return broker
}

/** Everything that the worker had to say to what was sent before has come when this is over. */
async function settled(client: RawClient): Promise<void> {
  await client.ask(SendMessageV2, sendHeader('a b'))
}

test('the worker leaves the writing to flush, and answers when it is done', async () => {
  const broker = await stalledBroker()
  const client = await broker.connect()
  const sent = [1, 2, 3].map(() => client.send(SendMessageV2, sendHeader('T'), { body: BODY }))
  await settled(client)
  expect(client.received).toHaveLength(1)
  expect(broker.shared.written.value()).toBe(0)
  broker.flushAgent.turn()
  const replies = await Promise.all(sent.map((opaque) => client.replyTo(opaque)))
  expect(replies.map(({ code }) => code)).toEqual([0, 0, 0])
  expect(broker.shared.written.value()).toBe(broker.shared.appended.value())
})

test('a full window refuses sends at once, and says that the disk is slow', async () => {
  const broker = await stalledBroker()
  const client = await broker.connect()
  const body = Buffer.alloc(2_000_000)
  const sent = Array.from({ length: 6 }, () =>
    client.send(SendMessageV2, sendHeader('T'), { body }),
  )
  const late = await client.replyTo(sent.at(-1)!)
  expect(late.code).toBe(ResponseCode.SYSTEM_BUSY)
  expect(late.remark).toMatch(/^\[PC_SYNCHRONIZED\]broker busy.*the disk is slow/)
  broker.flushAgent.turn()
  expect((await client.replyTo(sent[0]!)).code).toBe(0)
})

test('after quick writes the worker writes itself again', async () => {
  const broker = await stalledBroker()
  const client = await broker.connect()
  for (let nth = 0; broker.shared.isStalled(); nth++) {
    expect(nth).toBeLessThan(100)
    const opaque = client.send(SendMessageV2, sendHeader('T'), { body: BODY })
    await settled(client)
    broker.flushAgent.turn()
    await client.replyTo(opaque)
  }
  await sendTo(client, 'T') // answered without a turn of flush
})
