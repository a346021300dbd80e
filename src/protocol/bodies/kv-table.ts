import { body, orElse, record, text, textMap } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'

export const KvTable = body('KVTable', record({ table: orElse(textMap(text), new Map()) }))
export type KvTable = BodyOf<typeof KvTable>
