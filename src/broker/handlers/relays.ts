import type { Handlers } from '../../net/handlers.ts'
import { ConsumerStatus } from '../../protocol/bodies/running-info.ts'
import { JsonError } from '../../protocol/json.ts'
import {
  type RemotingCommand,
  requestCommand,
  responseTo,
} from '../../protocol/remoting-command.ts'
import {
  GetConsumerRunningInfo,
  GetConsumerStatusFromClient,
  InvokeBrokerToGetConsumerStatus,
} from '../../protocol/requests/client.ts'
import { ResponseCode } from '../../protocol/response-code.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import { ClientCallError } from '../client-calls.ts'
import type { Member } from '../consumer-group.ts'
import { shown } from '../topic-names.ts'

/** How long a client has for its answer (Apache 5.3.3, Broker2Client). */
const CALL_MS = 10_000
const STATUS_MS = 5000

/** What the broker asks its clients for others. */
export function registerRelayHandlers(handlers: Handlers, context: BrokerContext): void {
  handlers
    .register(GetConsumerRunningInfo.code, async (request) => {
      const header = GetConsumerRunningInfo.decodeHeader(request.extFields)
      return relay(context, request, { group: header.consumerGroup, clientId: header.clientId })
    })
    .on(InvokeBrokerToGetConsumerStatus, async ({ topic, group, clientAddr }) => ({
      body: ConsumerStatus.encode({
        consumerTable: await statusOf(context, { topic, group, clientId: clientAddr ?? '' }),
        messageQueueTable: [],
      }),
    }))
}

/** The same request to one client of a group; its answer goes back as it comes. Throws ResponseError. */
export async function relay(
  { clients, calls }: BrokerContext,
  request: RemotingCommand,
  { group, clientId }: { group: string; clientId: string },
): Promise<RemotingCommand> {
  const members = [...(clients.consumers(group)?.members.values() ?? [])]
  const member = members.findLast((each) => each.clientId === clientId) // the newest connection
  const who = `<${shown(group)}> <${shown(clientId)}>`
  if (member === undefined)
    throw new ResponseError('SYSTEM_ERROR', `The Consumer ${who} not online`)
  const command = requestCommand(request.code, request.extFields, request.body)
  try {
    const { code, remark, extFields, body } = await calls.call(member.peer, command, CALL_MS)
    return responseTo(request, code, remark, extFields, body)
  } catch (error) {
    if (!(error instanceof ClientCallError)) throw error
    const { isTimeout, message } = error
    throw isTimeout
      ? new ResponseError('CONSUME_MSG_TIMEOUT', `consumer ${who} Timeout: ${message}`)
      : new ResponseError('SYSTEM_ERROR', `invoke consumer ${who} Exception: ${message}`)
  }
}

/** Of the clients that answer, by client id. Throws ResponseError when the group has none. */
async function statusOf(
  context: BrokerContext,
  { topic, group, clientId }: { topic: string; group: string; clientId: string },
): Promise<ConsumerStatus['consumerTable']> {
  const members = [...(context.clients.consumers(group)?.members.values() ?? [])]
  if (members.length === 0) {
    const why = `No Any Consumer online in the consumer group: [${shown(group)}]`
    throw new ResponseError('SYSTEM_ERROR', why)
  }
  const asked = members.filter((each) => clientId.trim() === '' || each.clientId === clientId)
  const answers = await Promise.all(
    asked.map(async (member) => {
      const offsets = await offsetsOf(context, member, { topic, group })
      return offsets === null ? [] : [[member.clientId, offsets] as const]
    }),
  )
  return new Map(answers.flat())
}

/** Null: it does not answer, or not with offsets. */
async function offsetsOf(
  { calls, log }: BrokerContext,
  { peer, clientId }: Member,
  of: { topic: string; group: string },
): Promise<ConsumerStatus['messageQueueTable'] | null> {
  const header = GetConsumerStatusFromClient.encodeHeader(of)
  const command = requestCommand(GetConsumerStatusFromClient.code, header)
  try {
    const { code, body } = await calls.call(peer, command, STATUS_MS)
    return code === ResponseCode.SUCCESS ? ConsumerStatus.decode(body).messageQueueTable : null
  } catch (error) {
    if (!(error instanceof ClientCallError) && !(error instanceof JsonError)) throw error
    log.warn({ ...of, clientId, error: error.message }, 'a client does not say where it is')
    return null
  }
}
