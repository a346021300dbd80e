import { body, int, oneOf, orElse, record, text } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'

/** How a group is to consume a topic. */
export const RequestModeBody = body(
  'SetMessageRequestModeRequestBody',
  record({
    consumerGroup: text,
    mode: orElse(oneOf('PULL', 'POP'), 'PULL'),
    popShareQueueNum: orElse(int, 0),
    topic: text,
  }),
)
export type RequestModeBody = BodyOf<typeof RequestModeBody>
