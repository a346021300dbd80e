import { describe, expect, test } from 'vitest'
import { AssignmentBody, AssignmentReply } from '../../src/protocol/bodies/assignment.ts'
import { BatchAckBody } from '../../src/protocol/bodies/batch-ack.ts'
import { BrokerMemberGroupReply, ClusterInfo } from '../../src/protocol/bodies/cluster-info.ts'
import { ConsumerOffsetWrapper } from '../../src/protocol/bodies/consumer-offset.ts'
import { DataVersion } from '../../src/protocol/bodies/data-version.ts'
import {
  CheckClientBody,
  ConsumerList,
  HeartbeatData,
  SubscriptionData,
} from '../../src/protocol/bodies/heartbeat.ts'
import { KvTable } from '../../src/protocol/bodies/kv-table.ts'
import {
  LockBatchBody,
  LockBatchReply,
  TopicStatsTable,
} from '../../src/protocol/bodies/message-queue.ts'
import { RegisterBrokerBody } from '../../src/protocol/bodies/register-broker.ts'
import {
  SubscriptionGroupConfig,
  SubscriptionGroupWrapper,
} from '../../src/protocol/bodies/subscription-group.ts'
import { TopicConfig, TopicConfigWrapper } from '../../src/protocol/bodies/topic-config.ts'
import { TopicList } from '../../src/protocol/bodies/topic-list.ts'
import { TopicRouteData } from '../../src/protocol/bodies/topic-route.ts'
import type { Body } from '../../src/protocol/json-shape.ts'
import { JsonError } from '../../src/protocol/json.ts'
import { decodeCommand } from '../../src/protocol/remoting-command.ts'
import { goldenBodies, goldenFrame } from './golden.ts'

const bodies: [string, Body<unknown>, string][] = [
  ...(
    [
      ['TopicStatsTable', TopicStatsTable],
      ['ConsumerOffsetSerializeWrapper', ConsumerOffsetWrapper],
      ['SubscriptionGroupConfig', SubscriptionGroupConfig],
      ['SubscriptionGroupWrapper', SubscriptionGroupWrapper],
      ['ClusterInfo', ClusterInfo],
      ['TopicList', TopicList],
      ['TopicList(system, with brokerAddr)', TopicList],
      ['KVTable', KvTable],
      ['TopicConfigAndMappingSerializeWrapper', TopicConfigWrapper],
      ['TopicConfigAndQueueMapping', TopicConfig],
      ['CheckClientRequestBody(SQL92)', CheckClientBody],
      ['GetBrokerMemberGroupResponseBody', BrokerMemberGroupReply],
      ['TopicRouteData(static topic)', TopicRouteData],
    ] as const
  ).map(([name, body]): [string, Body<unknown>, string] => [
    name,
    body as Body<unknown>,
    goldenBodies[name]!.text,
  ]),
  ...(
    [
      ['HEART_BEAT request v1', HeartbeatData],
      ['HEART_BEAT request v2 with sub', HeartbeatData],
      ['HEART_BEAT request v2 without sub', HeartbeatData],
      ['GET_CONSUMER_LIST_BY_GROUP response', ConsumerList],
      ['LOCK_BATCH_MQ request', LockBatchBody],
      ['UNLOCK_BATCH_MQ request', LockBatchBody],
      ['LOCK_BATCH_MQ response', LockBatchReply],
      ['BATCH_ACK_MESSAGE request', BatchAckBody],
      ['QUERY_ASSIGNMENT request', AssignmentBody],
      ['QUERY_ASSIGNMENT response', AssignmentReply],
      ['QUERY_DATA_VERSION request', DataVersion],
      ['REGISTER_BROKER request uncompressed', RegisterBrokerBody],
      ['REGISTER_BROKER response', KvTable],
      ['GET_ROUTEINFO_BY_TOPIC response (client version <', TopicRouteData],
    ] as const
  ).map(([name, body]): [string, Body<unknown>, string] => [
    name,
    body as Body<unknown>,
    Buffer.from(decodeCommand(goldenFrame(name)).body!).toString(),
  ]),
]

describe.each(bodies)('%s', (_, body, written) => {
  const value = body.decode(Buffer.from(written))

  test('is written as Apache writes it', () => {
    expect(body.encode(value).toString()).toBe(written)
  })

  test('does not decode when it is cut', () => {
    for (let end = 0; end < written.length; end++) {
      expect(() => body.decode(Buffer.from(written.slice(0, end)))).toThrow(JsonError)
    }
  })

  test('decodes the same with members it does not know', () => {
    const more = `{"unknown":[1,{"x":{}}],${written.slice(1)}`
    expect(body.decode(Buffer.from(more))).toEqual(value)
  })
})

describe('a heartbeat', () => {
  test("of Apache's client says who consumes what, and how", () => {
    const heartbeat = HeartbeatData.decode(decodeCommand(goldenFrame('HEART_BEAT request v1')).body)
    expect(heartbeat.clientID).toBe('192.168.0.5@1234#567890')
    expect(heartbeat.producerDataSet.map((producer) => producer.groupName)).toContain('PG_test')
    expect(heartbeat.consumerDataSet[0]).toMatchObject({
      groupName: 'CG_test',
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: 'CLUSTERING',
    })
  })

  test('of a C++ client may have numbers for enums and text for numbers', () => {
    const text = `{"clientID":"c","consumerDataSet":[{"groupName":"g","consumeType":1,"messageModel":1,
      "consumeFromWhere":4,"subscriptionDataSet":[{"topic":"t","subString":"A","subVersion":"1700000000000",
      "codeSet":["65"],"tagsSet":["A"]}]}]}`
    expect(HeartbeatData.decode(Buffer.from(text)).consumerDataSet).toEqual([
      {
        groupName: 'g',
        consumeType: 'CONSUME_PASSIVELY',
        messageModel: 'CLUSTERING',
        consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
        unitMode: false,
        subscriptionDataSet: [
          {
            topic: 't',
            subString: 'A',
            subVersion: 1700000000000,
            codeSet: [65],
            tagsSet: ['A'],
            classFilterMode: false,
            expressionType: 'TAG',
          },
        ],
      },
    ])
  })

  test('of a Go client has nanoseconds for versions, which stay comparable', () => {
    const versions = ['1700000000000000000', '1700000000000001000'].map(
      (version) =>
        SubscriptionData.decode(Buffer.from(`{"topic":"t","subVersion":${version}}`)).subVersion,
    )
    expect(versions[0]).toBeLessThan(versions[1]!)
  })
})

test('what a group leaves out is as Apache has it', () => {
  const group = SubscriptionGroupConfig.decode(Buffer.from('{"groupName":"CG_test"}'))
  expect(SubscriptionGroupConfig.write(group)).toBe(goldenBodies.SubscriptionGroupConfig!.text)
})

test('what a topic leaves out is as Apache has it', () => {
  expect(TopicConfig.decode(Buffer.from('{"topicName":"t"}'))).toEqual({
    topicName: 't',
    readQueueNums: 16,
    writeQueueNums: 16,
    perm: 6,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
    attributes: new Map(),
  })
})
