import { ClientError } from '../client/index.ts'
import { ConnectionError, TimeoutError } from '../net/remoting-error.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { AdminError } from './command.ts'

/** What users can do something about: the message says what. */
const FORESEEN = [AdminError, ClientError, ConnectionError, TimeoutError]

/** What went wrong, in one sentence. Null when nobody foresaw it: then it is a bug. */
export function failureText(error: unknown): string | null {
  if (error instanceof ResponseError) return `CODE: ${error.code}  DESC: ${error.message}`
  return isForeseen(error) ? error.message : null
}

function isForeseen(error: unknown): error is Error {
  return FORESEEN.some((kind) => error instanceof kind)
}
