import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'

import type { RemotingClient } from '../../src/net/remoting-client.ts'
import { encodeTopicRoute } from '../../src/protocol/bodies/topic-route.ts'
import { RegisterBrokerBody } from '../../src/protocol/bodies/register-broker.ts'
import { bodyCrc } from '../../src/protocol/body-crc.ts'
import type { HeaderOf } from '../../src/protocol/request.ts'
import {
  GetKvConfig,
  GetNamesrvConfig,
  PutKvConfig,
  UpdateNamesrvConfig,
} from '../../src/protocol/requests/namesrv-config.ts'
import {
  BrokerHeartbeat,
  QueryDataVersion,
  RegisterBroker,
  UnregisterBroker,
} from '../../src/protocol/requests/registration.ts'
import {
  GetAllTopicListFromNameserver,
  GetBrokerClusterInfo,
  GetRouteInfoByTopic,
} from '../../src/protocol/requests/route.ts'
import { bodyOf } from './open-table.ts'
import { openNamesrv, type OpenNamesrv } from './open-namesrv.ts'

let opened: OpenNamesrv
afterEach(async () => {
  vi.useRealTimers()
  await opened.stop()
})

const broker = {
  brokerName: 'a',
  brokerAddr: '127.0.0.1:10911',
  clusterName: 'c1',
  brokerId: 0,
}
const two = RegisterBrokerBody.encode(bodyOf({ T: {}, U: {} }))

function register(
  client: RemotingClient,
  more: Partial<HeaderOf<typeof RegisterBroker>> = {},
  body = two,
) {
  const traits = { haServerAddr: '127.0.0.1:10912', compressed: false, bodyCrc32: bodyCrc(body) }
  return client.call(opened.address, RegisterBroker, { ...broker, ...traits, ...more }, { body })
}

async function routeOf(topic: string, client = opened.asker): Promise<string> {
  const { body } = await client.call(opened.address, GetRouteInfoByTopic, { topic })
  return Buffer.from(body!).toString()
}

/** Asks until no broker is left. */
async function untilEmpty(): Promise<void> {
  const client = opened.asker
  for (;;) {
    const { body } = await client.call(opened.address, GetBrokerClusterInfo, {})
    if (Buffer.from(body!).toString().includes('"brokerAddrTable":{}')) return
  }
}

test('a registered topic has a route in the exact bytes of Apache', async () => {
  opened = await openNamesrv()
  await register(opened.client())
  const { brokerName, clusterName: cluster } = broker
  const expected = encodeTopicRoute(
    {
      brokerDatas: [
        {
          brokerName,
          cluster,
          brokerAddrs: new Map([[0, broker.brokerAddr]]),
          enableActingMaster: false,
        },
      ],
      filterServerTable: new Map(),
      queueDatas: [{ brokerName, perm: 6, readQueueNums: 4, writeQueueNums: 4, topicSysFlag: 0 }],
    },
    'standard',
  )
  expect(await routeOf('T')).toBe(expected.toString())
})

test('the end of its connection takes a broker out at once', async () => {
  opened = await openNamesrv()
  const client = opened.client()
  await register(client)
  await client.close()
  await untilEmpty()
  await expect(routeOf('T')).rejects.toMatchObject({
    codeName: 'TOPIC_NOT_EXIST',
    message: 'No topic route info in name server for the topic: T',
  })
  expect(opened.warnings).toEqual(['a broker is gone: its connection has ended'])
})

test('a broker that falls silent on an open connection expires', async () => {
  opened = await openNamesrv({ scanNotActiveBrokerInterval: '1' })
  await register(opened.client(), { heartbeatTimeoutMillis: 50 })
  await untilEmpty()
  expect(opened.warnings).toEqual(['a broker is gone: it was silent too long'])
})

test.each([
  ['BROKER_HEARTBEAT', BrokerHeartbeat],
  ['QUERY_DATA_VERSION', QueryDataVersion],
])('%s keeps a broker', async (_, spec) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  opened = await openNamesrv()
  const client = opened.client()
  await register(client)
  vi.advanceTimersByTime(100_000)
  await client.call<object, object>(opened.address, spec, broker)
  vi.advanceTimersByTime(100_000)
  expect(await routeOf('T')).toContain(broker.brokerAddr)
})

test('an open connection alone does not keep it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  opened = await openNamesrv()
  const client = opened.client()
  await register(client)
  vi.advanceTimersByTime(100_000)
  await routeOf('T', client)
  vi.advanceTimersByTime(100_000)
  await expect(routeOf('T', client)).rejects.toMatchObject({ codeName: 'TOPIC_NOT_EXIST' })
  expect(opened.warnings).toEqual(['a broker is gone: it was silent too long'])
})

test('leaving takes it out before the answer', async () => {
  opened = await openNamesrv()
  const client = opened.client()
  await register(client)
  await client.call(opened.address, UnregisterBroker, broker)
  await expect(routeOf('T', client)).rejects.toMatchObject({ codeName: 'TOPIC_NOT_EXIST' })
})

test('key-value settings outlive a restart', async () => {
  opened = await openNamesrv()
  const key = { namespace: 'n', key: 'k' }
  await opened.client().call(opened.address, PutKvConfig, { ...key, value: 'v' })
  await opened.restart()
  const { header } = await opened.client().call(opened.address, GetKvConfig, key)
  expect(header.value).toBe('v')
})

test('a changed order is in the next route', async () => {
  opened = await openNamesrv({ orderMessageEnable: 'true' })
  const client = opened.client()
  await register(client)
  expect(await routeOf('T')).not.toContain('orderTopicConf')
  const key = { namespace: 'ORDER_TOPIC_CONFIG', key: 'T' }
  await client.call(opened.address, PutKvConfig, { ...key, value: 'a:4' })
  expect(await routeOf('T')).toContain('"orderTopicConf":"a:4"')
})

test('switches are changed by request, paths are not', async () => {
  opened = await openNamesrv()
  const client = opened.client()
  const update = (lines: string) =>
    client.call(opened.address, UpdateNamesrvConfig, {}, { body: Buffer.from(lines) })
  await update('enableAllTopicList=false\n')
  await expect(client.call(opened.address, GetAllTopicListFromNameserver, {})).rejects.toThrow(
    'disable',
  )
  const { body } = await client.call(opened.address, GetNamesrvConfig, {})
  expect(Buffer.from(body!).toString()).toContain('enableAllTopicList=false\n')
  await expect(update(`kvConfigPath=${opened.folder}/x`)).rejects.toMatchObject({
    codeName: 'NO_PERMISSION',
  })
  const { response } = await update('noSuchKey=1\n')
  expect(response.remark).toBe('not a setting here: noSuchKey')
})

test('with needWaitForService routes are refused until brokers had their time', async () => {
  const clock = { time: 5_000_000, now: () => clock.time }
  opened = await openNamesrv({ needWaitForService: 'true' }, { clock })
  await register(opened.client())
  await expect(routeOf('T')).rejects.toThrow('name server not ready')
  clock.time += 45_000
  expect(await routeOf('T')).toContain(broker.brokerAddr)
})

test('a file of key-value settings that cannot be read stops the start and is left alone', async () => {
  opened = await openNamesrv()
  const file = join(opened.folder, 'kvConfig.json')
  writeFileSync(file, 'not json')
  await expect(opened.restart()).rejects.toThrow(file)
  expect(readFileSync(file, 'utf8')).toBe('not json')
})

test('a port that is taken is refused by number', async () => {
  opened = await openNamesrv()
  const { port } = opened.namesrv
  await expect(openNamesrv({ listenPort: String(port) }, { port })).rejects.toThrow(`port ${port}`)
})

test('connections over the maximum are closed at once', async () => {
  opened = await openNamesrv({ maxConnections: '1' })
  await register(opened.client())
  const surplus = connect(opened.namesrv.port, '127.0.0.1').resume()
  surplus.on('error', () => undefined)
  await once(surplus, 'close')
})

test('after a close nothing keeps the process or the port', async () => {
  opened = await openNamesrv()
  await register(opened.client())
  const { port } = opened.namesrv
  await opened.namesrv.close()
  const late = connect(port, '127.0.0.1')
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
})
