import { expect, test } from 'vitest'
import { isNewer } from '../../../src/broker/data-version.ts'
import { KvTable } from '../../../src/protocol/bodies/kv-table.ts'
import {
  GetBrokerConfig,
  GetBrokerRuntimeInfo,
  UpdateBrokerConfig,
} from '../../../src/protocol/requests/broker.ts'
import { ask, openBroker } from '../open-broker.ts'

test('GET_BROKER_CONFIG answers with sorted key=value lines and a version', async () => {
  const broker = await openBroker({ flushDiskType: 'SYNC_FLUSH' })
  const { body, reply } = await ask(broker, GetBrokerConfig, {})
  const lines = Buffer.from(body!).toString().trimEnd().split('\n')
  expect(lines).toContain('flushDiskType=SYNC_FLUSH')
  expect(lines).toContain('brokerName=broker-a')
  expect(lines).toEqual(lines.toSorted())
  expect(JSON.parse(reply.version)).toEqual({
    counter: 0,
    stateVersion: 0,
    timestamp: broker.startedAt,
  })
})

test('GET_BROKER_RUNTIME_INFO answers with version and uptime', async () => {
  const broker = await openBroker()
  broker.clock.time += 86_400_000 + 2 * 3_600_000 + 3 * 60_000 + 4500
  const { body } = await ask(broker, GetBrokerRuntimeInfo, {})
  expect(Object.fromEntries(KvTable.decode(body).table)).toEqual({
    brokerActive: 'true',
    brokerVersion: '479',
    brokerVersionDesc: 'V5_3_3',
    bootTimestamp: String(broker.startedAt),
    runtime: '[ 1 days, 2 hours, 3 minutes, 4 seconds ]',
    startAcceptSendRequestTimeStamp: '0',
  })
})

test('UPDATE_BROKER_CONFIG is seen in the answer to the next GET_BROKER_CONFIG', async () => {
  const broker = await openBroker()
  const body = Buffer.from('fileReservedTime=48\n')
  const { code, remark } = await ask(broker, UpdateBrokerConfig, {}, { body })
  expect([code, remark]).toEqual([0, 'until the restart: the broker was started without -c'])
  const answer = await ask(broker, GetBrokerConfig, {})
  expect(Buffer.from(answer.body!).toString()).toContain('\nfileReservedTime=48\n')
  expect(JSON.parse(answer.reply.version)).toMatchObject({ counter: 1 })
})

test('topics are made on send again once autoCreateTopicEnable is switched on', async () => {
  const broker = await openBroker({ autoCreateTopicEnable: 'false' })
  expect(broker.topics.get('TBW102')).toBeUndefined()
  await ask(broker, UpdateBrokerConfig, {}, { body: Buffer.from('autoCreateTopicEnable=true') })
  const made = { topic: 'New', template: 'TBW102', queueCount: 4, topicSysFlag: 0 }
  await broker.topics.createOnSend(made)
  expect(broker.topics.get('New')?.writeQueueNums).toBe(4)
})

test('clients hear at once that the broker takes no more messages', async () => {
  const broker = await openBroker()
  const before = broker.topics.dataVersion
  let announced = 0
  broker.topics.announce = async () => void announced++
  await ask(broker, UpdateBrokerConfig, {}, { body: Buffer.from('brokerPermission=4') })
  expect(announced).toBe(1)
  expect(isNewer(broker.topics.dataVersion, before)).toBe(true)
})
