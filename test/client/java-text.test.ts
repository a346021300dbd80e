import { expect, test } from 'vitest'
import { formatMessage, formatSendResult } from '../../src/client/java-text.ts'
import { ReceivedMessage } from '../../src/client/received-message.ts'
import { hostBytes } from '../../src/net/address.ts'

// Both lines were printed by Apache's quickstart programs, 5.3.3.

test('a SendResult is printed as Java prints it', () => {
  const queue = { topic: 'TopicTest', brokerName: 'broker-a', queueId: 1 }
  const msgId = 'FD0000000000000000000000000000021C1C5FFD2B277A6C931D0000'
  const offsetMsgId = '7F000001000051AF0000000000000000'
  const result = { status: 'SEND_OK', msgId, offsetMsgId, queue, queueOffset: 0 } as const
  expect(formatSendResult(result)).toBe(
    'SendResult [sendStatus=SEND_OK, msgId=FD0000000000000000000000000000021C1C5FFD2B277A6C931D0000, offsetMsgId=7F000001000051AF0000000000000000, messageQueue=MessageQueue [topic=TopicTest, brokerName=broker-a, queueId=1], queueOffset=0, recallHandle=null]',
  )
})

test('a message is printed as Java prints it, its properties in the order of a Java map', () => {
  const host = (port: number) =>
    Buffer.concat([hostBytes('127.0.0.1'), Buffer.from([0, 0, port >> 8, port & 255])])
  const properties = {
    UNIQ_KEY: 'FD0000000000000000000000000000021C1C5FFD2B277A6C94100005',
    TAGS: 'TagA',
    WAIT: 'true',
    MIN_OFFSET: '0',
    MAX_OFFSET: '250',
    MSG_REGION: 'DefaultRegion',
    TRACE_ON: 'true',
    CLUSTER: 'DefaultCluster',
    CONSUME_START_TIME: '1795545157664',
  }
  const stored = {
    length: 264,
    topic: 'TopicTest',
    queueId: 2,
    queueOffset: 1,
    position: 1320,
    sysFlag: 0,
    flag: 0,
    bodyCrc: 1424393152,
    bornTimestamp: 1795545136144,
    bornHost: host(38878),
    storeTimestamp: 1795545136147,
    storeHost: host(20911),
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from('Hello RocketMQ 5'),
    properties: new Map(Object.entries(properties)),
  }
  expect(formatMessage(new ReceivedMessage(stored, 'broker-a'))).toBe(
    "MessageExt [brokerName=broker-a, queueId=2, storeSize=264, queueOffset=1, sysFlag=0, bornTimestamp=1795545136144, bornHost=/127.0.0.1:38878, storeTimestamp=1795545136147, storeHost=/127.0.0.1:20911, msgId=7F000001000051AF0000000000000528, commitLogOffset=1320, bodyCRC=1424393152, reconsumeTimes=0, preparedTransactionOffset=0, toString()=Message{topic='TopicTest', flag=0, properties={CONSUME_START_TIME=1795545157664, MSG_REGION=DefaultRegion, UNIQ_KEY=FD0000000000000000000000000000021C1C5FFD2B277A6C94100005, CLUSTER=DefaultCluster, MIN_OFFSET=0, TAGS=TagA, WAIT=true, TRACE_ON=true, MAX_OFFSET=250}, body=[72, 101, 108, 108, 111, 32, 82, 111, 99, 107, 101, 116, 77, 81, 32, 53], transactionId='null'}]",
  )
})
