import type { Body } from '../../protocol/json-shape.ts'
import { JsonError } from '../../protocol/json.ts'
import { ResponseError } from '../../protocol/response-error.ts'

/** The JSON body of a request. Throws ResponseError SYSTEM_ERROR that says what is wrong with it. */
export function decodeBody<T>(body: Body<T>, bytes: Uint8Array | null): T {
  try {
    return body.decode(bytes)
  } catch (error) {
    if (error instanceof JsonError) throw new ResponseError('SYSTEM_ERROR', error.message)
    throw error
  }
}
