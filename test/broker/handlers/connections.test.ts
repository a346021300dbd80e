import { expect, test } from 'vitest'
import {
  ConsumerConnection,
  ProducerConnection,
  ProducerTable,
} from '../../../src/protocol/bodies/connections.ts'
import { VERSION } from '../../../src/protocol/remoting-command.ts'
import {
  GetAllProducerInfo,
  GetConsumerConnectionList,
  GetProducerConnectionList,
} from '../../../src/protocol/requests/client.ts'
import { ResponseCode } from '../../../src/protocol/response-code.ts'
import { MemoryPeer } from '../memory-peer.ts'
import { ask, openBroker } from '../open-broker.ts'
import { beat, consumer } from './heartbeats.ts'

test('the connections of a consumer group are shown with what it subscribes to', async () => {
  const broker = await openBroker()
  const peer = new MemoryPeer()
  await beat(broker, { peer, consumers: [consumer('g', { messageModel: 'BROADCASTING' })] })
  const { body } = await ask(broker, GetConsumerConnectionList, { consumerGroup: 'g' })
  const shown = ConsumerConnection.decode(body)
  expect(shown).toMatchObject({
    connectionSet: [
      { clientAddr: peer.address, clientId: 'c', language: 'JAVA', version: VERSION },
    ],
    consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'BROADCASTING',
  })
  expect([...shown.subscriptionTable.keys()]).toEqual(['T', '%RETRY%g'])
})

test('a group that is not online is an error', async () => {
  const broker = await openBroker()
  const consumers = await ask(broker, GetConsumerConnectionList, { consumerGroup: 'g' })
  expect(consumers.code).toBe(ResponseCode.CONSUMER_NOT_ONLINE)
  expect(consumers.remark).toBe('the consumer group[g] not online')
  const producers = await ask(broker, GetProducerConnectionList, { producerGroup: 'p' })
  expect(producers.code).toBe(ResponseCode.SYSTEM_ERROR)
  expect(producers.remark).toBe('the producer group[p] not exist')
})

test('producers are shown, by group or all of them', async () => {
  const broker = await openBroker()
  const peer = new MemoryPeer()
  await beat(broker, { peer, consumers: [], producers: ['p', 'q'] })
  const one = await ask(broker, GetProducerConnectionList, { producerGroup: 'p' })
  const { connectionSet } = ProducerConnection.decode(one.body)
  expect(connectionSet).toMatchObject([{ clientAddr: peer.address, clientId: 'c' }])
  const all = ProducerTable.decode((await ask(broker, GetAllProducerInfo, {})).body)
  expect([...all.data.keys()]).toEqual(['p', 'q'])
  expect(all.data.get('q')).toMatchObject([
    { remoteIP: `/${peer.address}`, lastUpdateTimestamp: broker.clock.now() },
  ])
})
