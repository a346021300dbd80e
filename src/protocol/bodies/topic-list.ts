import { body, list, optional, orElse, record, text } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'

/** `brokerAddr` only comes with system topics: one broker to ask for more of them. */
export const TopicList = body(
  'TopicList',
  record({ brokerAddr: optional(text), topicList: orElse(list(text), []) }),
)
export type TopicList = BodyOf<typeof TopicList>
