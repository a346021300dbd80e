/** Why a send is not taken, in Apache's words where it has some. */
import type { BrokerConfig } from '../config/broker.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { AppendStatus } from '../store/log-appender.ts'
import { Fault, Shortage, type LogShared } from '../store/log-memory.ts'
import { diskShares, fullDisk, type DiskSettings } from './disk-full.ts'
import { Permission } from './system-topics.ts'

export function sendForbidden(topic: string): ResponseError {
  return new ResponseError('NO_PERMISSION', `Sending message to topic[${topic}] is forbidden.`)
}

export function illegalMessage(found: string, maxMessageSize: number): ResponseError {
  return new ResponseError(
    'MESSAGE_ILLEGAL',
    `the message is illegal, maybe msg body or properties length not matched. msg body length limit ${maxMessageSize}B, msg properties length limit 32KB. Here ${found}.`,
  )
}

export function tooBusy(status: AppendStatus, isStalled: boolean): ResponseError {
  return new ResponseError(
    'SYSTEM_BUSY',
    `[PC_SYNCHRONIZED]broker busy, start flow control for a while: ${causeOf(status, isStalled)}`,
  )
}

function causeOf(status: AppendStatus, isStalled: boolean): string {
  if (status === AppendStatus.NO_FILE) return 'the next commit log file is not there yet'
  if (isStalled) return 'the disk is slow, and the log window is full of what it must still take'
  return 'the log window is full: the disk or a reader does not keep up'
}

export function diskRefuses(shared: LogShared, settings: DiskSettings): ResponseError {
  return new ResponseError(
    'SERVICE_NOT_AVAILABLE',
    `service not available now. It may be caused by one of the following reasons: ${diskProblem(shared, settings)}.`,
  )
}

function diskProblem(shared: LogShared, settings: DiskSettings): string {
  const refusal = shared.refusal()
  if ((refusal & Fault.FENCED) !== 0) {
    return 'a write or flush failed; the broker takes no messages until it is restarted'
  }
  const isWritten = (refusal & Fault.NO_SPACE) === 0
  const why =
    isWritten && (refusal & Shortage.NO_FILE) === 0
      ? fullDisk(shared, settings)
      : `${settings.storePathCommitLog} takes ${isWritten ? 'no further file' : 'no more bytes'}`
  return `the broker's disk is full ${diskShares(shared)}: ${why}; it takes messages again when there is space`
}

/** Throws NO_PERMISSION when the broker takes no messages from clients. */
export function checkWritable(config: Pick<BrokerConfig, 'brokerPermission' | 'brokerIP1'>): void {
  if ((config.brokerPermission & Permission.WRITE) !== 0) return
  const remark = `the broker[${config.brokerIP1}] sending message is forbidden`
  throw new ResponseError('NO_PERMISSION', remark)
}

/** Apache 5.3.3: a retry is of one message. */
export function noRetryBatch(topic: string): ResponseError {
  const why = `batch request does not support retry group ${topic}`
  return new ResponseError('MESSAGE_ILLEGAL', why)
}
