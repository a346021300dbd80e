import { expect } from 'vitest'
import {
  type ConsumerData,
  ConsumerList,
  HeartbeatData,
  type SubscriptionData,
} from '../../../src/protocol/bodies/heartbeat.ts'
import { CommandFlag } from '../../../src/protocol/remoting-command.ts'
import {
  GetConsumerListByGroup,
  HeartBeat,
  NotifyConsumerIdsChanged,
} from '../../../src/protocol/requests/client.ts'
import { MemoryPeer } from '../memory-peer.ts'
import { ask, type TestBroker } from '../open-broker.ts'

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

export function consumer(groupName: string, changes: Partial<ConsumerData> = {}): ConsumerData {
  return {
    groupName,
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
    subscriptionDataSet: [subscription('T'), subscription(`%RETRY%${groupName}`)],
    unitMode: false,
    ...changes,
  }
}

export interface Beat {
  peer?: MemoryPeer
  clientID?: string
  consumers?: ConsumerData[]
  producers?: string[]
  fingerprint?: number
  withoutSub?: boolean
}

export function beat(broker: TestBroker, options: Beat = {}) {
  const { peer = new MemoryPeer(), clientID = 'c', consumers = [consumer('g')] } = options
  const body = HeartbeatData.encode({
    clientID,
    consumerDataSet: consumers,
    producerDataSet: (options.producers ?? []).map((groupName) => ({ groupName })),
    heartbeatFingerprint: options.fingerprint ?? 0,
    withoutSub: options.withoutSub ?? false,
  })
  return ask(broker, HeartBeat, {}, { body, peer })
}

export async function consumerIds(broker: TestBroker, consumerGroup = 'g'): Promise<string[]> {
  const { body } = await ask(broker, GetConsumerListByGroup, { consumerGroup })
  return body === null ? [] : ConsumerList.decode(body).consumerIdList
}

export function topicsOf(broker: TestBroker, group = 'g'): string[] {
  return (broker.metadata.subscriptions.get(group) ?? []).map(({ topic }) => topic)
}

/** Groups whose members a peer was told to have changed. */
export function notices({ sent }: MemoryPeer): (string | undefined)[] {
  expect(sent.every(({ code }) => code === NotifyConsumerIdsChanged.code)).toBe(true)
  expect(sent.every(({ flag }) => flag === CommandFlag.ONEWAY)).toBe(true)
  return sent.map(({ extFields }) => extFields?.get('consumerGroup'))
}
