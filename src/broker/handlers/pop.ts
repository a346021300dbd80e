import { errorResponse } from '../../net/answer.ts'
import type { Handlers, Peer } from '../../net/handlers.ts'
import type { RemotingCommand } from '../../protocol/remoting-command.ts'
import { isOneway, responseTo } from '../../protocol/remoting-command.ts'
import {
  InitMode,
  type PeekHeader,
  PeekMessage,
  PollingInfo,
  Notification,
  type NotificationHeader,
  type PopHeader,
  PopMessage,
} from '../../protocol/requests/pop.ts'
import { ResponseCode, type ResponseCodeName } from '../../protocol/response-code.ts'
import type { BrokerContext } from '../broker-context.ts'
import type { HeldPop, Look } from '../pop/held-pops.ts'
import type { PopRequest, Taken } from '../pop/pop-request.ts'
import { ALL_MESSAGES } from '../pop/pop-store.ts'
import type { Pops } from '../pop/pops.ts'
import { checkAmount, checkCount, checkPlace, popFilter } from './pop-checks.ts'

/** A request that comes later than this behind its time is answered at once (Apache 5.3.3). */
const LATE_MS = 500
/** A hold longer than this is the client's mistake; Java's ask for 15 s. */
const HOLD_MAX_MS = 120_000

type Report = (problem: string, error: unknown) => void

/** A request that looks for messages, and may wait for them. */
interface Seeker {
  request: PopRequest
  expiresMs: number
  /** Null: there are none; the client waits, or is told so. */
  find: () => Promise<{ response: RemotingCommand | null; freeMs: number; isMore: boolean }>
  /** What is said when it may not wait (any longer). */
  none: (code: 'POLLING_FULL' | 'POLLING_TIMEOUT') => RemotingCommand
}

/** POP_MESSAGE, NOTIFICATION, PEEK_MESSAGE and POLLING_INFO (Apache 5.3.3). */
export function registerPopHandlers(
  handlers: Handlers,
  context: BrokerContext,
  pops: Pops,
  report: Report,
): void {
  handlers
    .serve(PopMessage, async (request, peer) => {
      const seeker = await popSeeker(context, pops, request)
      return seek(pops, seeker, request, peer, report)
    })
    .serve(Notification, async (request, peer) => {
      const seeker = await notificationSeeker(context, pops, request)
      return seek(pops, seeker, request, peer, report)
    })
    .on(PeekMessage, (header) => peek(context, pops, header))
    .on(PollingInfo, async (header) => {
      await checkPlace(context, header, 'peeking')
      const { topic, consumerGroup, queueId } = header
      return { header: { pollingNum: pops.held.count(topic, consumerGroup, queueId) } }
    })
}

/** Answers at once, or waits: then null. */
async function seek(
  pops: Pops,
  seeker: Seeker,
  command: RemotingCommand,
  peer: Peer,
  report: Report,
): Promise<RemotingCommand | null> {
  const { request, expiresMs, find, none } = seeker
  const { held } = pops
  const stamp = held.stamp(request)
  const { response, freeMs, isMore } = await find()
  if (response !== null) return response
  if (expiresMs === 0) return none('POLLING_TIMEOUT')
  const look = async (): Promise<Look> => {
    const found = await find().catch((error: unknown) => ({
      response: errorResponse(command, error, report),
      freeMs: Infinity,
      isMore: false,
    }))
    if (found.response !== null) peer.send(found.response)
    return { ...found, isAnswered: found.response !== null }
  }
  const { group, topic, queueId } = request
  const expire = () => peer.send(none('POLLING_TIMEOUT'))
  const pop: HeldPop = { group, topic, queueId, peerId: peer.id, expiresMs, look, expire }
  if (isOneway(command) || !held.park(pop, { isAnswered: false, freeMs, isMore }, stamp)) {
    return none('POLLING_FULL')
  }
  pops.setTimer()
  return null
}

async function popSeeker(
  context: BrokerContext,
  pops: Pops,
  command: RemotingCommand,
): Promise<Seeker> {
  const header = PopMessage.decodeHeader(command.extFields)
  const request = popRequest(context, header)
  const expiresMs = expiryOf(context, header)
  let restNum = 0
  const none = (code: ResponseCodeName) => {
    const popTime = context.clock.now()
    return popResponse(command, request, { popTime, reviveQueueId: 0, restNum }, code)
  }
  if (isLate(context, header)) {
    const response = none('POLLING_TIMEOUT')
    const find = async () => ({ response, freeMs: Infinity, isMore: false })
    return { request, expiresMs, find, none }
  }
  await checkPlace(context, header, 'pop')
  checkAmount(header, header)
  const find = async () => {
    const taken = await pops.take(request)
    const { freeMs, isMore, count } = taken
    restNum = taken.restNum
    const response = count === 0 ? null : popResponse(command, request, taken, 'SUCCESS')
    return { response, freeMs, isMore }
  }
  return { request, expiresMs, find, none }
}

function popRequest(context: BrokerContext, header: PopHeader): PopRequest {
  const { consumerGroup: group, topic, queueId, maxMsgNums: countMax, order: isOrder } = header
  const { invisibleTime, initMode, attemptId } = header
  const filter = popFilter(context, header)
  return { group, topic, queueId, countMax, invisibleTime, initMode, isOrder, attemptId, filter }
}

function popResponse(
  command: RemotingCommand,
  { invisibleTime, isOrder }: PopRequest,
  taken: Partial<Taken> & { popTime: number; reviveQueueId: number },
  code: ResponseCodeName,
): RemotingCommand {
  const { popTime, reviveQueueId: reviveQid, restNum = 0, parts = [] } = taken
  const header = PopMessage.encodeReply({
    popTime,
    invisibleTime,
    reviveQid,
    restNum,
    startOffsetInfo: taken.startOffsets?.join(';') ?? '',
    msgOffsetInfo: taken.messageOffsets?.join(';') ?? '',
    orderCountInfo: isOrder ? (taken.orderCounts?.join(';') ?? '') : undefined,
  })
  const body = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  const remark = code === 'SUCCESS' ? 'FOUND' : 'NO_MESSAGE_IN_QUEUE'
  return responseTo(command, ResponseCode[code], remark, header, body.length === 0 ? null : body)
}

async function notificationSeeker(
  context: BrokerContext,
  pops: Pops,
  command: RemotingCommand,
): Promise<Seeker> {
  const header = Notification.decodeHeader(command.extFields)
  const { topic } = await checkPlace(context, header, 'peeking')
  const request = watching(header, { isOrder: header.order, attemptId: header.attemptId })
  const reply = (hasMsg: boolean, pollingFull: boolean) => {
    const fields = Notification.encodeReply({ hasMsg, pollingFull })
    return responseTo(command, ResponseCode.SUCCESS, null, fields)
  }
  const find = async () => {
    const { isThere, freeMs } = await pops.isThere(request, topic.readQueueNums)
    return { response: isThere ? reply(true, false) : null, freeMs, isMore: false }
  }
  const none = (code: ResponseCodeName) => reply(false, code === 'POLLING_FULL')
  return { request, expiresMs: expiryOf(context, header), find, none }
}

/** A request that takes nothing. */
function watching(
  header: Pick<NotificationHeader, 'consumerGroup' | 'topic' | 'queueId'>,
  order: { isOrder: boolean; attemptId: string | undefined },
  countMax = 1,
): PopRequest {
  const { consumerGroup: group, topic, queueId } = header
  const of = { group, topic, queueId, countMax, ...order }
  return { ...of, invisibleTime: 0, initMode: InitMode.MIN, filter: ALL_MESSAGES }
}

async function peek(context: BrokerContext, pops: Pops, header: PeekHeader) {
  const { topic } = await checkPlace(context, header, 'peeking')
  checkCount(header.maxMsgNums)
  const order = { isOrder: false, attemptId: undefined }
  const { parts, restNum } = await pops.peek(
    watching(header, order, header.maxMsgNums),
    topic.readQueueNums,
  )
  const isFound = parts.length > 0
  return {
    code: isFound ? ('SUCCESS' as const) : ('PULL_NOT_FOUND' as const),
    remark: isFound ? 'FOUND' : 'NO_MESSAGE_IN_QUEUE',
    header: { popTime: 0, invisibleTime: 0, reviveQid: 0, restNum },
    body: isFound ? Buffer.concat(parts) : null,
  }
}

/** 0: it does not wait. */
function expiryOf(
  { clock }: BrokerContext,
  { bornTime, pollTime }: { bornTime: number; pollTime: number },
): number {
  if (pollTime <= 0) return 0
  const now = clock.now()
  const born = bornTime === 0 ? now : Math.min(bornTime, now)
  const expiresMs = born + Math.min(pollTime, HOLD_MAX_MS)
  return expiresMs <= now ? 0 : expiresMs
}

function isLate(
  { clock }: BrokerContext,
  { bornTime, pollTime }: { bornTime: number; pollTime: number },
): boolean {
  return bornTime !== 0 && clock.now() - bornTime - pollTime > LATE_MS
}
