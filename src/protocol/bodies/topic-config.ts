import {
  body,
  bool,
  int,
  list,
  oneOf,
  optional,
  orElse,
  record,
  text,
  textMap,
} from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'
import { DataVersion } from './data-version.ts'
import { TopicQueueMappingDetail, TopicQueueMappingInfo } from './topic-queue-mapping.ts'

export const topicFilterTypes = ['SINGLE_TAG', 'MULTI_TAG'] as const

/** A topic on one broker. Defaults as in Apache 5.3.3, TopicConfig. */
export const TopicConfig = body(
  'TopicConfig',
  record({
    attributes: orElse(textMap(text), new Map()),
    order: orElse(bool, false),
    perm: orElse(int, 6),
    readQueueNums: orElse(int, 16),
    topicFilterType: orElse(oneOf(...topicFilterTypes), 'SINGLE_TAG'),
    topicName: text,
    topicSysFlag: orElse(int, 0),
    writeQueueNums: orElse(int, 16),
  }),
)
export type TopicConfig = BodyOf<typeof TopicConfig>

/** All topics of a broker. Without the mapping members it is the TopicConfigSerializeWrapper of old. */
export const TopicConfigWrapper = body(
  'TopicConfigAndMappingSerializeWrapper',
  record({
    dataVersion: orElse(DataVersion, new Map()),
    mappingDataVersion: optional(DataVersion),
    topicConfigTable: orElse(textMap(TopicConfig), new Map()),
    topicQueueMappingDetailMap: optional(textMap(TopicQueueMappingDetail)),
    topicQueueMappingInfoMap: optional(textMap(TopicQueueMappingInfo)),
  }),
)
export type TopicConfigWrapper = BodyOf<typeof TopicConfigWrapper>

/** Topics to create or to change at once. */
export const TopicConfigList = body(
  'CreateTopicListRequestBody',
  record({ topicConfigList: orElse(list(TopicConfig), []) }),
)
export type TopicConfigList = BodyOf<typeof TopicConfigList>
