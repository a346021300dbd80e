import type { Handlers } from '../../net/handlers.ts'
import { MessageError } from '../../protocol/message.ts'
import { decodeOffsetMessageId } from '../../protocol/message-id.ts'
import { ConsumeMessageDirectly } from '../../protocol/requests/diagnostics.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import type { MessageQueries } from '../message-queries.ts'
import { relay } from './relays.ts'

/** A consumer is made to consume a message: the broker passes the request on, with the message as stored. */
export function registerConsumeDirectly(
  handlers: Handlers,
  context: BrokerContext,
  queries: Pick<MessageQueries, 'at'>,
): void {
  handlers.register(ConsumeMessageDirectly.code, async (request) => {
    const header = ConsumeMessageDirectly.decodeHeader(request.extFields)
    const { consumerGroup: group, clientId = '', msgId } = header
    const body = msgId === undefined ? null : await messageOf(msgId, queries)
    const { brokerName } = context.config
    const extFields = ConsumeMessageDirectly.encodeHeader({ ...header, brokerName })
    return relay(context, { ...request, extFields, body }, { group, clientId })
  })
}

/** Throws ResponseError SYSTEM_ERROR when the id is none, or its message is not there. */
async function messageOf(id: string, queries: Pick<MessageQueries, 'at'>): Promise<Buffer> {
  const bytes = await queries.at(positionOf(id))
  if (bytes !== null) return bytes
  throw new ResponseError('SYSTEM_ERROR', `there is no message ${id}`)
}

function positionOf(id: string): number {
  try {
    return decodeOffsetMessageId(id).position
  } catch (error) {
    if (error instanceof MessageError) throw new ResponseError('SYSTEM_ERROR', error.message)
    throw error
  }
}
