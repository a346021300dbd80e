/** What a consumer tells a broker of itself. */
import {
  type ConsumerData,
  HeartbeatData,
  type SubscriptionData,
} from '../../src/protocol/bodies/heartbeat.ts'
import { HeartBeat } from '../../src/protocol/requests/client.ts'
import type { RawClient } from './raw-client.ts'

export function subscription(
  topic: string,
  changes: Partial<SubscriptionData> = {},
): SubscriptionData {
  return {
    topic,
    subString: '*',
    expressionType: 'TAG',
    subVersion: 1,
    tagsSet: [],
    codeSet: [],
    classFilterMode: false,
    ...changes,
  }
}

/** Says that a client of this id consumes what the subscriptions say; anything but SUCCESS throws. */
export async function beat(
  client: RawClient,
  { clientID = 'client-1', group = 'consumers' }: { clientID?: string; group?: string },
  ...subscriptionDataSet: SubscriptionData[]
): Promise<void> {
  const consumer: ConsumerData = {
    groupName: group,
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
    subscriptionDataSet,
    unitMode: false,
  }
  const body = HeartbeatData.encode({
    clientID,
    consumerDataSet: [consumer],
    producerDataSet: [],
    heartbeatFingerprint: 0,
    withoutSub: false,
  })
  const { code, remark } = await client.ask(HeartBeat, {}, { body })
  if (code !== 0) throw new Error(`heartbeat answered ${code}: ${remark}`)
}
