import { body, bool, int, optional, orElse, record, text } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'

/** What came of a message that a consumer was made to consume. */
export const ConsumeDirectlyResult = body(
  'ConsumeMessageDirectlyResult',
  record({
    autoCommit: orElse(bool, true),
    /** CR_SUCCESS, CR_LATER, CR_ROLLBACK, CR_COMMIT, CR_THROW_EXCEPTION or CR_RETURN_NULL. */
    consumeResult: optional(text),
    order: orElse(bool, false),
    remark: optional(text),
    spentTimeMills: orElse(int, 0),
  }),
)
export type ConsumeDirectlyResult = BodyOf<typeof ConsumeDirectlyResult>
