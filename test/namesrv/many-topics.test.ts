/** Fifty thousand topics: sizes and counts, never times. */
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { RemotingClient } from '../../src/net/remoting-client.ts'
import {
  encodeRegisterBrokerCompressed,
  RegisterBrokerBody,
} from '../../src/protocol/bodies/register-broker.ts'
import { TopicList } from '../../src/protocol/bodies/topic-list.ts'
import { TopicRouteData } from '../../src/protocol/bodies/topic-route.ts'
import { bodyCrc } from '../../src/protocol/body-crc.ts'
import { RegisterBroker } from '../../src/protocol/requests/registration.ts'
import {
  GetAllTopicListFromNameserver,
  GetRouteInfoByTopic,
} from '../../src/protocol/requests/route.ts'
import { bodyOf, openTable } from './open-table.ts'
import { openNamesrv, type OpenNamesrv } from './open-namesrv.ts'

const COUNT = 50_000
const names = Array.from({ length: COUNT }, (_, index) => `a-topic-of-some-service-${index}`)
const all = bodyOf(Object.fromEntries(names.map((name) => [name, {}])))

let opened: OpenNamesrv
let client: RemotingClient
beforeAll(async () => {
  opened = await openNamesrv()
  client = opened.client()
})
afterAll(() => opened.stop())

function register(body: Buffer, compressed: boolean) {
  const header = {
    brokerName: compressed ? 'zipped' : 'plain',
    brokerAddr: compressed ? 'z:1' : 'p:1',
    clusterName: 'c1',
    brokerId: 0,
    haServerAddr: '',
    compressed,
    bodyCrc32: bodyCrc(body),
  }
  return client.call(opened.address, RegisterBroker, header, { body, timeoutMs: 30_000 })
}

test('they register in one frame, plain or compressed', async () => {
  await register(RegisterBrokerBody.encode(all), false)
  await register(encodeRegisterBrokerCompressed(all), true)
  const topic = names[COUNT - 1]!
  const { body } = await client.call(opened.address, GetRouteInfoByTopic, { topic })
  const { brokerDatas } = TopicRouteData.decode(body)
  expect(brokerDatas.map(({ brokerName }) => brokerName)).toEqual(['plain', 'zipped'])
})

test('all of them are listed', async () => {
  const { body } = await client.call(opened.address, GetAllTopicListFromNameserver, {})
  expect(TopicList.decode(body).topicList).toHaveLength(COUNT)
})

test('a heartbeat that says nothing new looks at none of them', () => {
  const table = openTable()
  table.register({ brokerAddr: 'p:1', fingerprint: 'x' }, all)
  const { topicConfigTable } = all.topicConfigSerializeWrapper
  const watched = new Proxy(topicConfigTable, {
    get() {
      throw new Error('it looks at topics')
    },
  })
  const topicConfigSerializeWrapper = {
    ...all.topicConfigSerializeWrapper,
    topicConfigTable: watched,
  }
  for (let beat = 0; beat < 100; beat++) {
    table.table.register(
      {
        clusterName: 'c1',
        brokerName: 'a',
        brokerAddr: 'p:1',
        brokerId: 0,
        haServerAddr: 'ha:1',
        enableActingMaster: false,
        peerId: 1,
        fingerprint: 'x',
      },
      () => ({ filterServerList: [], topicConfigSerializeWrapper }),
    )
  }
  expect(table.reads()).toBe(1)
})

test('topics that look alike share one description', () => {
  const { table, register: registerIn } = openTable()
  registerIn({ brokerAddr: 'p:1' }, all)
  const [first] = table.topics.queues(names[0]!)
  expect(names.every((name) => table.topics.queues(name)[0] === first)).toBe(true)
})
