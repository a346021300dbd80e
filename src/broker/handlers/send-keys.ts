import { HeaderKey } from '../../protocol/header-scanner.ts'

/** Names of the fields: short in SEND_MESSAGE_V2 and batches, long in SEND_MESSAGE. */
export interface SendKeys {
  topic: HeaderKey
  defaultTopic: HeaderKey
  defaultTopicQueueNums: HeaderKey
  queueId: HeaderKey
  sysFlag: HeaderKey
  bornTimestamp: HeaderKey
  flag: HeaderKey
  properties: HeaderKey
  reconsumeTimes: HeaderKey
}

export const SHORT: SendKeys = {
  topic: new HeaderKey('b'),
  defaultTopic: new HeaderKey('c'),
  defaultTopicQueueNums: new HeaderKey('d'),
  queueId: new HeaderKey('e'),
  sysFlag: new HeaderKey('f'),
  bornTimestamp: new HeaderKey('g'),
  flag: new HeaderKey('h'),
  properties: new HeaderKey('i'),
  reconsumeTimes: new HeaderKey('j'),
}

export const LONG: SendKeys = {
  topic: new HeaderKey('topic'),
  defaultTopic: new HeaderKey('defaultTopic'),
  defaultTopicQueueNums: new HeaderKey('defaultTopicQueueNums'),
  queueId: new HeaderKey('queueId'),
  sysFlag: new HeaderKey('sysFlag'),
  bornTimestamp: new HeaderKey('bornTimestamp'),
  flag: new HeaderKey('flag'),
  properties: new HeaderKey('properties'),
  reconsumeTimes: new HeaderKey('reconsumeTimes'),
}
