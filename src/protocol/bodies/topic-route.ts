import { unicodeEscape } from '../json-quote.ts'
import {
  body,
  int,
  list,
  optional,
  orElse,
  quotedNumberMap,
  record,
  text,
  textMap,
} from '../json-shape.ts'
import type { BodyOf, Shape } from '../json-shape.ts'
import { MqVersion } from '../mq-version.ts'
import { BrokerData, brokerDataShape } from './broker-data.ts'
import { TopicQueueMappingInfo } from './topic-queue-mapping.ts'

/** The queues of a topic on one broker name. */
export const QueueData = body(
  'QueueData',
  record({
    brokerName: text,
    perm: int,
    readQueueNums: int,
    topicSysFlag: orElse(int, 0),
    writeQueueNums: int,
  }),
)
export type QueueData = BodyOf<typeof QueueData>

function route(brokerData: Shape<BrokerData>) {
  return record({
    brokerDatas: orElse(list(brokerData), []),
    filterServerTable: orElse(textMap(list(text)), new Map()),
    orderTopicConf: optional(text),
    queueDatas: orElse(list(QueueData), []),
    topicQueueMappingByBroker: optional(textMap(TopicQueueMappingInfo)),
  })
}

/** Where the queues of a topic are. `encode` writes the legacy dialect, `decode` reads both. */
export const TopicRouteData = body('TopicRouteData', route(BrokerData))
export type TopicRouteData = BodyOf<typeof TopicRouteData>

const standardRoute = route(brokerDataShape(quotedNumberMap(text)))

/**
 * `legacy`: broker ids are unquoted keys. Go's client reads nothing else, strict parsers cannot.
 * `standard`: they are quoted, and the text is ASCII.
 */
export type RouteDialect = 'legacy' | 'standard'

/** What a client gets, as in Apache 5.3.3. `version` is the one in the header of its request. */
export function routeDialect(version: number, acceptStandardJsonOnly = false): RouteDialect {
  return acceptStandardJsonOnly || version >= MqVersion.V4_9_4 ? 'standard' : 'legacy'
}

export function encodeTopicRoute(value: TopicRouteData, dialect: RouteDialect): Buffer {
  if (dialect === 'legacy') return TopicRouteData.encode(value)
  // Neither a slash nor anything beyond ASCII can stand outside of a string.
  const json = standardRoute.write(value).replace(/[/\u007f-\uffff]/g, escapeForBrowser)
  return Buffer.from(json, 'latin1')
}

/** As fastjson's BrowserCompatible. */
function escapeForBrowser(unit: string): string {
  return unit === '/' ? '\\/' : unicodeEscape(unit)
}
