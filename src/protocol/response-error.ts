import { ResponseCode } from './response-code.ts'
import type { ResponseCodeName } from './response-code.ts'

/**
 * An answer that is not SUCCESS. Handlers throw it, `net/answer.ts` turns it into a response, and the
 * client throws the same class back. The message is the remark.
 */
export class ResponseError extends Error {
  override name = 'ResponseError'
  readonly code: number
  readonly codeName: ResponseCodeName

  constructor(codeName: ResponseCodeName, remark: string, code: number = ResponseCode[codeName]) {
    super(remark)
    this.code = code
    this.codeName = codeName
  }

  /** From a response of a peer. A code we have not heard of keeps its number and counts as SYSTEM_ERROR. */
  static fromResponse(response: { code: number; remark: string | null }): ResponseError {
    const { code, remark } = response
    const codeName = responseCodeName(code)
    const fallback = codeName === null ? `response code ${code}` : codeName
    return new ResponseError(codeName ?? 'SYSTEM_ERROR', remark ?? fallback, code)
  }
}

const names = new Map(
  Object.entries(ResponseCode).map(([name, code]) => [code as number, name as ResponseCodeName]),
)

export function responseCodeName(code: number): ResponseCodeName | null {
  return names.get(code) ?? null
}
