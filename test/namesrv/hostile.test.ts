import { once } from 'node:events'
import { connect } from 'node:net'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { RegisterBrokerBody } from '../../src/protocol/bodies/register-broker.ts'
import { RegisterBroker } from '../../src/protocol/requests/registration.ts'
import { GetBrokerClusterInfo, GetTopicsByCluster } from '../../src/protocol/requests/route.ts'
import { goldenFrames, mutate, randomFrom } from '../net/mutations.ts'
import { bodyOf } from './open-table.ts'
import { openNamesrv, type OpenNamesrv } from './open-namesrv.ts'

let opened: OpenNamesrv
beforeAll(async () => {
  opened = await openNamesrv()
})
afterAll(() => opened.stop())

const registration = {
  brokerName: 'a',
  brokerAddr: '127.0.0.1:1',
  clusterName: 'c1',
  brokerId: 0,
  haServerAddr: '',
  compressed: false,
  bodyCrc32: 0,
}

/** Sends all of it and waits until the server has closed. */
async function throwAt(bytes: Buffer): Promise<void> {
  const socket = connect(opened.namesrv.port, '127.0.0.1')
  socket.on('error', () => undefined).resume()
  socket.end(bytes)
  await once(socket, 'close')
}

test('damaged frames end only the connections they come on', async () => {
  const golden = goldenFrames()
  const random = randomFrom(7)
  const honest = opened.client()
  await honest.call(opened.address, GetBrokerClusterInfo, {})
  for (let round = 0; round < 40; round++) {
    const volley = Array.from({ length: 25 }, () =>
      throwAt(
        Buffer.concat(
          Array.from({ length: 10 }, () => mutate(golden[random(golden.length)]!, random)),
        ),
      ),
    )
    await Promise.all(volley)
  }
  await honest.call(opened.address, GetBrokerClusterInfo, {})
})

test('a registration that inflates to gigabytes is refused', async () => {
  const bomb = deflateSync(Buffer.alloc(256 * 1024 * 1024), { level: 9 })
  const header = { ...registration, compressed: true }
  const call = opened.client().call(opened.address, RegisterBroker, header, { body: bomb })
  await expect(call).rejects.toMatchObject({ codeName: 'SYSTEM_ERROR' })
})

test.each([
  ['deep nesting', '['.repeat(1_000_000)],
  ['deep nesting that is closed', `${'['.repeat(500_000)}${']'.repeat(500_000)}`],
  [
    'deep nesting within',
    `{"topicConfigSerializeWrapper":{"topicConfigTable":{"T":${'['.repeat(200_000)}${']'.repeat(200_000)}}}}`,
  ],
  ['topics of the wrong kind', '{"topicConfigSerializeWrapper":{"topicConfigTable":{"T":5}}}'],
  ['a reference to itself', '{"topicConfigSerializeWrapper":{"$ref":"$"}}'],
])('a body of %s is refused, and the server goes on', async (_, text) => {
  const client = opened.client()
  const body = Buffer.from(text)
  const call = client.call(opened.address, RegisterBroker, registration, { body })
  await expect(call).rejects.toMatchObject({ codeName: 'SYSTEM_ERROR' })
  await client.call(opened.address, GetBrokerClusterInfo, {})
})

test('names like those of prototypes are names', async () => {
  const client = opened.client()
  const topics = { constructor: {}, toString: {}, hasOwnProperty: {} }
  const body = RegisterBrokerBody.encode(bodyOf(topics))
  const header = { ...registration, brokerName: '__proto__', clusterName: 'constructor' }
  await client.call(opened.address, RegisterBroker, header, { body })
  const { body: list } = await client.call(opened.address, GetTopicsByCluster, {
    cluster: 'constructor',
  })
  for (const topic of Object.keys(topics)) expect(Buffer.from(list!).toString()).toContain(topic)
})
