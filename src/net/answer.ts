/** The one place where an error becomes a response. */
import { AssertionError } from '../base/assert.ts'
import { FrameError } from '../protocol/frame.ts'
import {
  encodeCommand,
  isOneway,
  isResponse,
  type RemotingCommand,
  responseTo,
} from '../protocol/remoting-command.ts'
import { requestCodeName } from '../protocol/request.ts'
import { ResponseCode } from '../protocol/response-code.ts'
import { ResponseError } from '../protocol/response-error.ts'

/** `problem` is a sentence that names the request. */
export type ReportError = (problem: string, error: unknown) => void

/** Throws `error` again when it says that our own code is wrong. */
export function errorResponse(
  request: RemotingCommand,
  error: unknown,
  report: ReportError,
): RemotingCommand {
  if (error instanceof AssertionError) throw error
  const isAnswer = error instanceof ResponseError
  if (!isAnswer || isOneway(request)) report(`${requestLabel(request.code)} failed`, error)
  return isAnswer
    ? responseTo(request, error.code, error.message)
    : responseTo(request, ResponseCode.SYSTEM_ERROR, String(error))
}

/** A response that is too long for any reader becomes one that says so. */
export function encodeOrExplain(command: RemotingCommand): Buffer {
  try {
    return encodeCommand(command)
  } catch (error) {
    if (!(error instanceof FrameError) || !isResponse(command)) throw error
    return encodeCommand(responseTo(command, ResponseCode.SYSTEM_ERROR, error.message))
  }
}

/** Apache's remark, its leading blank included. */
export function notSupported(request: RemotingCommand): RemotingCommand {
  const remark = ` request type ${request.code} not supported`
  return responseTo(request, ResponseCode.REQUEST_CODE_NOT_SUPPORTED, remark)
}

/** A request in words, for errors and logs. */
export function requestLabel(code: number): string {
  return requestCodeName(code) ?? `request ${code}`
}
