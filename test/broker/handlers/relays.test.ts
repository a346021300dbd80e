import { expect, test } from 'vitest'
import { ConsumerStatus } from '../../../src/protocol/bodies/running-info.ts'
import { responseTo } from '../../../src/protocol/remoting-command.ts'
import {
  GetConsumerRunningInfo,
  GetConsumerStatusFromClient,
  InvokeBrokerToGetConsumerStatus,
} from '../../../src/protocol/requests/client.ts'
import { ResponseCode } from '../../../src/protocol/response-code.ts'
import { MemoryPeer } from '../memory-peer.ts'
import { ask, openBroker, type TestBroker } from '../open-broker.ts'
import { beat } from './heartbeats.ts'

const QUEUE = { brokerName: 'broker-a', queueId: 0, topic: 'T' }

/** Waits until the peer was asked this, and answers. */
async function answer(
  { calls }: TestBroker,
  peer: MemoryPeer,
  { asked, code = 0, body = null }: { asked: number; code?: number; body?: Buffer | null },
): Promise<void> {
  const request = await expect
    .poll(() => peer.sent.find((each) => each.code === asked))
    .toBeDefined()
    .then(() => peer.sent.find((each) => each.code === asked)!)
  calls.onResponse(peer.id, responseTo(request, code, 'said', null, body))
}

test('running info is asked of the client, and its answer comes back as it is', async () => {
  const broker = await openBroker()
  const [peer, other] = [new MemoryPeer(), new MemoryPeer()]
  await beat(broker, { peer, clientID: 'one' })
  await beat(broker, { peer: other, clientID: 'other' })
  const header = { consumerGroup: 'g', clientId: 'one', jstackEnable: true }
  const asked = ask(broker, GetConsumerRunningInfo, header)
  const body = Buffer.from('{"anything":1}')
  await answer(broker, peer, { asked: GetConsumerRunningInfo.code, body })
  expect(await asked).toMatchObject({ code: 0, remark: 'said', body })
  const request = peer.sent.find(({ code }) => code === GetConsumerRunningInfo.code)!
  expect(GetConsumerRunningInfo.decodeHeader(request.extFields)).toEqual(header)
  expect(other.sent.some(({ code }) => code === GetConsumerRunningInfo.code)).toBe(false)
})

test('running info of a client that is not there, or leaves, is an error', async () => {
  const broker = await openBroker()
  const peer = new MemoryPeer()
  await beat(broker, { peer, clientID: 'one' })
  const header = { consumerGroup: 'g', clientId: 'two', jstackEnable: false }
  const { code, remark } = await ask(broker, GetConsumerRunningInfo, header)
  expect({ code, remark }).toEqual({
    code: ResponseCode.SYSTEM_ERROR,
    remark: 'The Consumer <g> <two> not online',
  })
  const asked = ask(broker, GetConsumerRunningInfo, { ...header, clientId: 'one' })
  broker.calls.connectionClosed(peer.id)
  expect(await asked).toMatchObject({ code: ResponseCode.SYSTEM_ERROR })
})

test('the offsets of all clients are gathered, or of one', async () => {
  const broker = await openBroker()
  const [peer, other] = [new MemoryPeer(), new MemoryPeer()]
  await beat(broker, { peer, clientID: 'one' })
  await beat(broker, { peer: other, clientID: 'other' })
  const { code: fromClient } = GetConsumerStatusFromClient
  const own = {
    consumerTable: new Map(),
    messageQueueTable: [[QUEUE, 7] as [typeof QUEUE, number]],
  }
  const body = ConsumerStatus.encode(own)
  const header = { topic: 'T', group: 'g' }

  const all = ask(broker, InvokeBrokerToGetConsumerStatus, header)
  await answer(broker, peer, { asked: fromClient, body })
  await answer(broker, other, { asked: fromClient, code: ResponseCode.SYSTEM_ERROR })
  const { consumerTable } = ConsumerStatus.decode((await all).body)
  expect(consumerTable).toEqual(new Map([['one', own.messageQueueTable]]))

  other.sent.length = 0
  const one = ask(broker, InvokeBrokerToGetConsumerStatus, { ...header, clientAddr: 'other' })
  await answer(broker, other, { asked: fromClient, body })
  expect([...ConsumerStatus.decode((await one).body).consumerTable.keys()]).toEqual(['other'])

  const nobody = await ask(broker, InvokeBrokerToGetConsumerStatus, { topic: 'T', group: 'h' })
  expect(nobody.remark).toBe('No Any Consumer online in the consumer group: [h]')
})
