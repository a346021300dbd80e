import { ReceivedMessage } from '../client/received-message.ts'
import { decodeOffsetMessageId } from '../protocol/message-id.ts'
import { decodeMessage, hostText, messagesIn } from '../protocol/message.ts'
import { QueryMessage, ViewMessageById } from '../protocol/requests/query.ts'
import { ResponseCode } from '../protocol/response-code.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { Admin } from './admin.ts'
import { masterOrSlave } from './topic-brokers.ts'

export interface KeySearch {
  topic: string
  key: string
  max: number
  /** Store times in ms. */
  begin: number
  end: number
  /** The key is the id that a producer gave the message. */
  isUniqueKey?: boolean
}

/** Whether this is an id with an address and a position in it. */
export function isOffsetId(id: string): boolean {
  return /^(?:[\da-f]{32}|[\da-f]{56})$/i.test(id)
}

/** The message that an id with address and position names. Rejects with ResponseError when there is none. */
export async function messageAt(admin: Admin, id: string, topic: string): Promise<ReceivedMessage> {
  const { storeHost, position } = decodeOffsetMessageId(id)
  const header = { topic, offset: position }
  const { body } = await admin.call(addressOf(storeHost), ViewMessageById, header)
  return new ReceivedMessage(decodeMessage(body ?? new Uint8Array()), '')
}

/** As an address is dialled: with brackets around an IPv6 host. */
function addressOf(storeHost: Uint8Array): string {
  const [, host, port] = /^(.*):(\d+)$/.exec(hostText(storeHost))!
  return host!.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Asks all brokers of the topic by their index; oldest first. Those that do not know any are passed over. */
export async function messagesByKey(admin: Admin, search: KeySearch): Promise<ReceivedMessage[]> {
  const { brokerDatas } = await admin.route(search.topic)
  const found = await Promise.all(
    brokerDatas.map(async (broker) => {
      const address = masterOrSlave(broker)
      if (address === undefined) return []
      return messagesOf(admin, { brokerName: broker.brokerName, address }, search)
    }),
  )
  const isWanted = ({ msgId, keys }: ReceivedMessage) =>
    search.isUniqueKey === true ? msgId === search.key : keys.includes(search.key)
  const messages = found.flat().filter(isWanted)
  return messages.toSorted((a, b) => a.storeTimestamp - b.storeTimestamp)
}

async function messagesOf(
  admin: Admin,
  { brokerName, address }: { brokerName: string; address: string },
  { topic, key, max, begin, end, isUniqueKey }: KeySearch,
): Promise<ReceivedMessage[]> {
  const header = {
    topic,
    key,
    maxNum: max,
    beginTimestamp: begin,
    endTimestamp: end,
    uniqueKeyQuery: isUniqueKey,
  }
  try {
    const { body } = await admin.call(address, QueryMessage, header)
    return [...messagesIn(body ?? new Uint8Array())].map(
      (stored) => new ReceivedMessage(stored, brokerName),
    )
  } catch (error) {
    if (error instanceof ResponseError && error.code === ResponseCode.QUERY_NOT_FOUND) return []
    throw error
  }
}
