import { randomInt } from 'node:crypto'
import { fewProblems, type Report } from '../../log/few-problems.ts'
import type { Call, Handlers } from '../../net/handlers.ts'
import { FrameError } from '../../protocol/frame.ts'
import type { TopicConfig } from '../../protocol/bodies/topic-config.ts'
import {
  decodeProperties,
  encodeProperties,
  hostText,
  MessageFlag,
} from '../../protocol/message.ts'
import { encodeOffsetMessageId } from '../../protocol/message-id.ts'
import { MessageProperty } from '../../protocol/message-property.ts'
import { requestCommand } from '../../protocol/remoting-command.ts'
import {
  PushReplyMessageToClient,
  SendReplyMessage,
  SendReplyMessageV2,
} from '../../protocol/requests/reply.ts'
import type { SendHeader } from '../../protocol/requests/send.ts'
import { ResponseCode } from '../../protocol/response-code.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import { ClientCallError } from '../client-calls.ts'
import type { Delivery } from '../delivery.ts'
import type { Stored } from '../main-log.ts'
import { bornHostOf } from '../message-draft.ts'
import { checkWritable, illegalMessage, sendForbidden } from '../send-refusals.ts'
import { Permission } from '../system-topics.ts'
import { SEND_FORBIDDEN, shown, topicNameFault } from '../topic-names.ts'

/** How long the one that waits for an answer has to take it (Apache 5.3.3, Broker2Client). */
const PUSH_MS = 10_000

export interface ReplyParts {
  context: BrokerContext
  delivery: Pick<Delivery, 'messages'>
  /** IP (4 or 16 bytes) and a 4-byte port. */
  storeHost: Uint8Array
}

interface ReplyRequest extends Call {
  header: SendHeader
}

interface Handled extends ReplyParts {
  report: Report
}

/**
 * Answers to messages: passed on to the client that waits for them, whether or not they can be stored
 * (Apache 5.3.3, ReplyMessageProcessor).
 */
export function registerReplyHandlers(handlers: Handlers, parts: ReplyParts): void {
  const { log, clock } = parts.context
  const warn = (problem: string, error: unknown) => log.warn({ error: String(error) }, problem)
  const handled = { ...parts, report: fewProblems(warn, () => clock.now()) }
  for (const spec of [SendReplyMessage, SendReplyMessageV2]) {
    handlers.on(spec, (header, call) => reply(handled, { header, ...call }))
  }
}

async function reply(parts: Handled, request: ReplyRequest) {
  const { context, storeHost } = parts
  const { config } = context
  const topic = await writableTopic(context, request)
  const queueId = queueOf(request.header, topic)
  const failure = await pushed(parts, request)
  const stored = config.storeReplyMessageEnable ? await keep(parts, request, queueId) : null
  const header = {
    // Clients insist on an id, and take "0" for none.
    msgId: stored === null ? '0' : encodeOffsetMessageId({ storeHost, position: stored.position }),
    queueId,
    queueOffset: stored?.queueOffset ?? 0,
    region: config.regionId,
    traceOn: config.traceOn,
  }
  if (failure === null) return { header }
  return { header, code: 'SYSTEM_ERROR' as const, remark: failure }
}

/** The topic that the answer is stored in; made as by any other send. Throws ResponseError. */
async function writableTopic(
  { config, topics }: BrokerContext,
  { header, request }: ReplyRequest,
): Promise<TopicConfig> {
  checkWritable(config)
  const { length } = request.body ?? new Uint8Array(0)
  const { maxMessageSize } = config
  if (length > maxMessageSize) throw illegalMessage(`the body has ${length} bytes`, maxMessageSize)
  const fault = topicNameFault(header.topic)
  if (fault !== null) throw new ResponseError('SYSTEM_ERROR', fault)
  if (SEND_FORBIDDEN.has(header.topic)) throw sendForbidden(header.topic)
  const { topic: name, defaultTopic: template, defaultTopicQueueNums: queueCount } = header
  const topic =
    topics.get(name) ??
    (await topics.createOnSend({ topic: name, template, queueCount, topicSysFlag: 0 }))
  if ((topic.perm & Permission.WRITE) !== 0) return topic
  const why = `the topic[${header.topic}] sending message is forbidden`
  throw new ResponseError('NO_PERMISSION', why)
}

function queueOf({ queueId }: SendHeader, topic: TopicConfig): number {
  const { topicName, readQueueNums, writeQueueNums } = topic
  if (queueId < 0) return randomInt(Math.max(1, writeQueueNums))
  const count = Math.max(readQueueNums, writeQueueNums)
  if (queueId < count) return queueId
  const why = `queueId[${queueId}] is illegal, topic[${topicName}] has queues 0 to ${count - 1}`
  throw new ResponseError('INVALID_PARAMETER', why)
}

/** Why the client that waits has not got it, in Apache's words; null when it has. */
async function pushed(parts: Handled, request: ReplyRequest): Promise<string | null> {
  const { clients, pushes } = parts.context
  const properties = decodeProperties(request.header.properties ?? '')
  const { REPLY_TO_CLIENT } = MessageProperty
  const clientId = properties.get(REPLY_TO_CLIENT)
  if (clientId === undefined) return `reply message properties[${REPLY_TO_CLIENT}] is null`
  const peer = clients.producerChannel(clientId)
  const who = shown(clientId)
  if (peer === null) return `push reply message fail, channel of <${who}> not found.`
  const failure = `push reply message to ${who}fail.`
  try {
    const command = pushCommand(parts, request, properties)
    const { code, remark } = await pushes.call(peer, command, PUSH_MS)
    if (code === ResponseCode.SUCCESS) return null
    parts.report('a client does not take the answer to its message', remark)
  } catch (error) {
    if (!(error instanceof ClientCallError) && !(error instanceof FrameError)) throw error
    parts.report('the answer to a message does not reach its producer', error.message)
  }
  return failure
}

function pushCommand(
  { context, storeHost }: Handled,
  { header, request, peer }: ReplyRequest,
  properties: Map<string, string>,
) {
  const now = context.clock.now()
  properties.set(MessageProperty.PUSH_REPLY_TIME, String(now))
  const extFields = PushReplyMessageToClient.encodeHeader({
    ...header,
    properties: encodeProperties(properties),
    bornHost: peer.address,
    storeHost: hostText(storeHost),
    storeTimestamp: now,
  })
  return requestCommand(PushReplyMessageToClient.code, extFields, request.body)
}

/** An answer that cannot be stored has been passed on all the same: null, and a line in the log. */
async function keep(
  { delivery, report }: Handled,
  { header, request, peer }: ReplyRequest,
  queueId: number,
): Promise<Stored | null> {
  const { topic, flag, sysFlag, bornTimestamp, reconsumeTimes, properties = '' } = header
  const draft = {
    topic,
    queueId,
    flag,
    // Apache stores 0, and with it compressed bodies that nobody can read.
    sysFlag: sysFlag & (MessageFlag.COMPRESSED | MessageFlag.COMPRESSION_MASK),
    bornTimestamp,
    bornHost: bornHostOf(peer),
    reconsumeTimes,
    preparedTransactionOffset: 0,
    properties: Buffer.from(properties),
    body: request.body ?? new Uint8Array(0),
  }
  try {
    return await delivery.messages.append(draft)
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error
    report('the answer to a message was not stored', error.message)
    return null
  }
}
