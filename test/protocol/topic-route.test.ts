import { describe, expect, test } from 'vitest'
import {
  TopicRouteData,
  encodeTopicRoute,
  routeDialect,
} from '../../src/protocol/bodies/topic-route.ts'
import { decodeCommand } from '../../src/protocol/remoting-command.ts'
import { goldenFrame } from './golden.ts'

const legacy = decodeCommand(goldenFrame('GET_ROUTEINFO_BY_TOPIC response (client version <')).body!
const standard = decodeCommand(
  goldenFrame('GET_ROUTEINFO_BY_TOPIC response (client version >'),
).body!

describe('route data', () => {
  test('is written in both dialects as Apache writes it', () => {
    const route = TopicRouteData.decode(legacy)
    expect(encodeTopicRoute(route, 'legacy')).toEqual(Buffer.from(legacy))
    expect(encodeTopicRoute(route, 'standard')).toEqual(Buffer.from(standard))
  })

  test('is read in both dialects', () => {
    expect(TopicRouteData.decode(standard)).toEqual(TopicRouteData.decode(legacy))
  })

  test('in the standard dialect is ASCII, and any JSON parser reads it', () => {
    const route = TopicRouteData.decode(legacy)
    route.brokerDatas[0]!.cluster = 'Zürich/北京 😀'
    const text = encodeTopicRoute(route, 'standard').toString()
    expect(text).toContain(String.raw`"cluster":"Z\u00FCrich\/\u5317\u4EAC \uD83D\uDE00"`)
    expect(JSON.parse(text)).toMatchObject({ brokerDatas: [{ cluster: 'Zürich/北京 😀' }] })
    expect(TopicRouteData.decode(Buffer.from(text))).toEqual(route)
  })

  test('refers back where the same object comes again', () => {
    const text = `{"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":4}],
      "brokerDatas":[{"brokerName":"a","cluster":"c","brokerAddrs":{0:"x:1"}},{"$ref":"$.brokerDatas[0]"}]}`
    const { brokerDatas } = TopicRouteData.decode(Buffer.from(text))
    expect(brokerDatas[1]).toEqual(brokerDatas[0])
  })
})

describe('the dialect', () => {
  test.each([
    [317, undefined, 'legacy'],
    [400, false, 'legacy'],
    [401, undefined, 'standard'],
    [479, undefined, 'standard'],
    [0, true, 'standard'],
  ] as const)('of version %i, acceptStandardJsonOnly %s, is %s', (version, only, dialect) => {
    expect(routeDialect(version, only)).toBe(dialect)
  })
})
