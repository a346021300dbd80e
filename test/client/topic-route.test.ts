import { expect, test } from 'vitest'
import { QueueRotation, queueOfKey } from '../../src/client/queue-choice.ts'
import { routeFromTemplate, topicRoute } from '../../src/client/topic-route.ts'
import { TopicRouteData } from '../../src/protocol/bodies/topic-route.ts'

/** As name servers of old answer: unquoted broker ids. */
function data(
  brokers: Record<string, number[]>,
  queues: [brokerName: string, perm: number, read: number, write: number][],
  orderTopicConf?: string,
): TopicRouteData {
  const brokerDatas = Object.entries(brokers).map(([brokerName, ids]) => {
    const addresses = ids.map((id) => `${id}:"10.0.0.${id}:10911"`)
    return `{"brokerName":"${brokerName}","cluster":"c","brokerAddrs":{${addresses.join()}}}`
  })
  const queueDatas = queues.map(([brokerName, perm, readQueueNums, writeQueueNums]) =>
    JSON.stringify({ brokerName, perm, readQueueNums, writeQueueNums, topicSysFlag: 0 }),
  )
  const order = orderTopicConf === undefined ? '' : `,"orderTopicConf":"${orderTopicConf}"`
  const json = `{"brokerDatas":[${brokerDatas.join()}],"queueDatas":[${queueDatas.join()}]${order}}`
  return TopicRouteData.decode(Buffer.from(json))
}

const shown = (queues: readonly { brokerName: string; queueId: number }[]) =>
  queues.map(({ brokerName, queueId }) => `${brokerName}${queueId}`).join(' ')

test('queues are listed by broker name, then by id', () => {
  const route = topicRoute(
    'T',
    data({ b: [0], a: [0] }, [
      ['b', 6, 2, 1],
      ['a', 6, 1, 2],
    ]),
  )
  expect(shown(route.writeQueues)).toBe('a0 a1 b0')
  expect(shown(route.readQueues)).toBe('a0 b0 b1')
  expect(route.brokers.get('a')!.get(0)).toBe('10.0.0.0:10911')
})

test('permissions decide where to write and where to read', () => {
  const route = topicRoute(
    'T',
    data({ a: [0], b: [0] }, [
      ['a', 4, 1, 1],
      ['b', 2, 1, 1],
    ]),
  )
  expect(shown(route.writeQueues)).toBe('b0')
  expect(shown(route.readQueues)).toBe('a0')
})

test('a broker without a master can only be read', () => {
  const route = topicRoute('T', data({ a: [1, 2] }, [['a', 6, 1, 1]]))
  expect(shown(route.writeQueues)).toBe('')
  expect(shown(route.readQueues)).toBe('a0')
})

test('an ordered topic keeps the queues of a broker that is down, or its keys would move', () => {
  const route = topicRoute('T', data({ a: [0] }, [['a', 6, 4, 4]], 'a:2;b:1'))
  expect(shown(route.writeQueues)).toBe('a0 a1 b0')
  expect(shown(route.readQueues)).toBe('a0 a1 a2 a3')
})

test('a new topic gets the queues of the template, but no more than asked for', () => {
  const template = data({ a: [0], b: [0] }, [
    ['a', 7, 8, 8],
    ['b', 7, 2, 2],
  ])
  const route = routeFromTemplate('Fresh', template, 4)
  expect(shown(route.writeQueues)).toBe('a0 a1 a2 a3 b0 b1')
  expect(route.writeQueues[0]!.topic).toBe('Fresh')
})

test('a rotation passes over the broker that failed, while there is another', () => {
  const { writeQueues } = topicRoute(
    'T',
    data({ a: [0], b: [0] }, [
      ['a', 6, 2, 2],
      ['b', 6, 2, 2],
    ]),
  )
  const rotation = new QueueRotation()
  const chosen = Array.from({ length: 12 }, () => rotation.next('T', writeQueues, 'a').brokerName)
  expect(new Set(chosen)).toEqual(new Set(['b']))
  const alone = writeQueues.filter(({ brokerName }) => brokerName === 'a')
  expect(rotation.next('T', alone, 'a').brokerName).toBe('a')
})

test('a rotation goes on evenly when queues come and go', () => {
  const { writeQueues } = topicRoute('T', data({ a: [0] }, [['a', 6, 7, 7]]))
  const rotation = new QueueRotation()
  for (let i = 0; i < 5; i++) rotation.next('T', writeQueues)
  const fewer = writeQueues.slice(0, 3)
  const chosen = Array.from({ length: 3 }, () => rotation.next('T', fewer).queueId)
  expect(new Set(chosen)).toEqual(new Set([0, 1, 2]))
})

test('keys with negative hashes have queues, too', () => {
  const { writeQueues } = topicRoute('T', data({ a: [0] }, [['a', 6, 3, 3]]))
  expect(queueOfKey(writeQueues, 'user-7').queueId).toBe(0) // -836031819 % 3 is 0
  expect(queueOfKey(writeQueues, 'user-6').queueId).toBe(1) // -836031820 % 3 is -1
})
