import type { ReceivedMessage } from '../client/index.ts'
import { ConsumeStats } from '../protocol/bodies/consume-stats.ts'
import type { ConsumerConnection } from '../protocol/bodies/connections.ts'
import { GroupList } from '../protocol/bodies/group-list.ts'
import { GetConsumeStats } from '../protocol/requests/query.ts'
import { QueryTopicConsumeByWho } from '../protocol/requests/topic.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { Admin } from './admin.ts'
import { connectionOf, isOffline } from './consumer-groups.ts'
import type { Output } from './output.ts'

/** Whether a group has consumed a message, in Apache's words. */
export type TrackType =
  | 'CONSUMED'
  | 'CONSUMED_BUT_FILTERED'
  | 'PULL'
  | 'NOT_CONSUME_YET'
  | 'NOT_ONLINE'
  | 'CONSUME_BROADCASTING'
  | 'UNKNOWN'

export interface MessageTrack {
  group: string
  trackType: TrackType
  /** What went wrong with UNKNOWN and NOT_ONLINE. */
  problem: string | null
}

/** What each group that consumes the topic has done with the message: asks the broker that stores it. */
export async function messageTracks(
  admin: Admin,
  message: ReceivedMessage,
): Promise<MessageTrack[]> {
  const { topic, storeHost } = message
  const { body } = await admin.call(storeHost, QueryTopicConsumeByWho, { topic })
  const { groupList } = GroupList.decode(body)
  return Promise.all(
    groupList.map(async (group): Promise<MessageTrack> => {
      try {
        return { group, trackType: await trackType(admin, group, message), problem: null }
      } catch (error) {
        if (!(error instanceof ResponseError)) throw error
        const problem = `CODE:${error.code} DESC:${error.message}`
        return { group, trackType: isOffline(error) ? 'NOT_ONLINE' : 'UNKNOWN', problem }
      }
    }),
  )
}

export function printTracks(tracks: readonly MessageTrack[], out: Output): void {
  out.line('')
  out.line('')
  if (tracks.length === 0) out.line('WARN: No Consumer')
  for (const { group, trackType: type, problem } of tracks) {
    out.line(`MessageTrack [consumerGroup=${group}, trackType=${type}, exceptionDesc=${problem}]`)
  }
}

/** By the rules of Apache 5.3.3, DefaultMQAdminExtImpl.messageTrackDetail. */
async function trackType(
  admin: Admin,
  consumerGroup: string,
  message: ReceivedMessage,
): Promise<TrackType> {
  const connection = await connectionOf(admin, consumerGroup, [message.storeHost])
  if (connection.consumeType === 'CONSUME_ACTIVELY') return 'PULL'
  if (connection.messageModel === 'BROADCASTING') return 'CONSUME_BROADCASTING'
  if (!(await isConsumed(admin, consumerGroup, message))) return 'NOT_CONSUME_YET'
  return isSubscribed(connection, message) ? 'CONSUMED' : 'CONSUMED_BUT_FILTERED'
}

async function isConsumed(
  admin: Admin,
  consumerGroup: string,
  { topic, stored, storeHost }: ReceivedMessage,
): Promise<boolean> {
  const { body } = await admin.call(storeHost, GetConsumeStats, { consumerGroup, topic })
  const { offsetTable } = ConsumeStats.decode(body)
  const own = offsetTable.find(
    ([queue]) => queue.topic === topic && queue.queueId === stored.queueId,
  )
  return own !== undefined && own[1].consumerOffset > stored.queueOffset
}

function isSubscribed({ subscriptionTable }: ConsumerConnection, message: ReceivedMessage) {
  const subscription = subscriptionTable.get(message.topic)
  if (subscription === undefined || subscription.expressionType !== 'TAG') return true
  const { tagsSet } = subscription
  return tagsSet.length === 0 || tagsSet.includes(message.tags ?? '')
}
