import { body, list, orElse, record, text } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'

/** Names of consumer groups. */
export const GroupList = body('GroupList', record({ groupList: orElse(list(text), []) }))
export type GroupList = BodyOf<typeof GroupList>
