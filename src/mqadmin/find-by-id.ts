import type { ReceivedMessage } from '../client/index.ts'
import { ConnectionError, TimeoutError } from '../net/remoting-error.ts'
import { MessageError } from '../protocol/message.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { Admin } from './admin.ts'
import { AdminError } from './command.ts'
import { isOffsetId, messageAt, messagesByKey } from './message-search.ts'

/** By an id of the broker or of the producer: both are hex digits. Throws AdminError when there is none. */
export async function findById(admin: Admin, topic: string, id: string): Promise<ReceivedMessage> {
  let why = ''
  if (isOffsetId(id)) {
    try {
      return await messageAt(admin, id, topic)
    } catch (error) {
      if (!isNotFound(error)) throw error
      why = ` (${error.message})`
    }
  }
  const [message] = await findByUniqueId(admin, topic, id)
  if (message !== undefined) return message
  throw new AdminError(`topic ${topic} has no message ${id}${why}`)
}

/** What a producer sent with this id, oldest first: it may have sent it more than once. */
export function findByUniqueId(
  admin: Admin,
  topic: string,
  id: string,
): Promise<ReceivedMessage[]> {
  const search = { topic, key: id, max: 32, begin: 0, end: Number.MAX_SAFE_INTEGER }
  return messagesByKey(admin, { ...search, isUniqueKey: true })
}

/** A producer's id read as an address leads anywhere: whatever comes of it means that it is none. */
function isNotFound(error: unknown): error is Error {
  return [ResponseError, ConnectionError, TimeoutError, MessageError].some(
    (kind) => error instanceof kind,
  )
}
