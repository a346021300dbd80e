import { expect, test } from 'vitest'
import { registerConsumeDirectly } from '../../../src/broker/handlers/consume-directly.ts'
import { responseTo } from '../../../src/protocol/remoting-command.ts'
import { ConsumeMessageDirectly } from '../../../src/protocol/requests/diagnostics.ts'
import { MemoryPeer } from '../memory-peer.ts'
import { ask, openBroker } from '../open-broker.ts'
import { beat } from './heartbeats.ts'

const STORED = Buffer.from('a message as stored')
const ID = '7F00000100002A9F0000000000000064' // position 100

async function open() {
  const broker = await openBroker()
  const at = (position: number) => Promise.resolve(position === 100 ? STORED : null)
  registerConsumeDirectly(broker.handlers, broker, { at })
  const peer = new MemoryPeer()
  await beat(broker, { peer, clientID: 'one' })
  return { broker, peer }
}

test('the client gets the message as it is stored, and its answer comes back', async () => {
  const { broker, peer } = await open()
  const header = { consumerGroup: 'g', clientId: 'one', msgId: ID, topic: 'T' }
  const asked = ask(broker, ConsumeMessageDirectly, header)
  const find = () => peer.sent.find(({ code }) => code === ConsumeMessageDirectly.code)
  await expect.poll(find).toBeDefined()
  const request = find()!
  expect(request.body).toEqual(STORED)
  expect(ConsumeMessageDirectly.decodeHeader(request.extFields)).toEqual({
    ...header,
    brokerName: 'broker-a',
  })
  const body = Buffer.from('{"consumeResult":"CR_SUCCESS"}')
  broker.calls.onResponse(peer.id, responseTo(request, 0, null, null, body))
  expect(await asked).toMatchObject({ code: 0, body })
})

test.each([
  [{ msgId: '7F00000100002A9F0000000000000065' }, 'there is no message 7F0000'],
  [{ msgId: 'nonsense' }, 'it must be 32 or 56 hex digits'],
  [{ msgId: ID, clientId: 'two' }, 'The Consumer <g> <two> not online'],
])('%o is refused', async (changes, why) => {
  const { broker, peer } = await open()
  const header = { consumerGroup: 'g', clientId: 'one', ...changes }
  const { code, remark } = await ask(broker, ConsumeMessageDirectly, header)
  expect([code, remark]).toEqual([1, expect.stringContaining(why)])
  expect(peer.sent.some((each) => each.code === ConsumeMessageDirectly.code)).toBe(false)
})
