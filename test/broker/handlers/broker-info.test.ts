import { expect, test } from 'vitest'
import { KvTable } from '../../../src/protocol/bodies/kv-table.ts'
import { GetBrokerConfig, GetBrokerRuntimeInfo } from '../../../src/protocol/requests/broker.ts'
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
