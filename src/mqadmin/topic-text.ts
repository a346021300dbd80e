import type { TopicConfig } from '../protocol/bodies/topic-config.ts'
import { permissionText } from './permission-text.ts'

/** `TopicConfig [topicName=T, …]`, as Apache 5.3.3 prints it. */
export function topicText(config: TopicConfig): string {
  const { topicName, readQueueNums: reads, writeQueueNums: writes, topicFilterType } = config
  const { topicSysFlag, order } = config
  const perm = permissionText(config.perm)
  const attributes = [...config.attributes].map((pair) => pair.join('=')).join(', ')
  return `TopicConfig [topicName=${topicName}, readQueueNums=${reads}, writeQueueNums=${writes}, perm=${perm}, topicFilterType=${topicFilterType}, topicSysFlag=${topicSysFlag}, order=${order}, attributes={${attributes}}]`
}
