import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../src/protocol/batch-body.ts'
import { SubscriptionGroupConfig } from '../../src/protocol/bodies/subscription-group.ts'
import { UpdateAndCreateSubscriptionGroup } from '../../src/protocol/requests/group.ts'
import { QueryConsumerOffset, UpdateConsumerOffset } from '../../src/protocol/requests/offset.ts'
import { LitePullMessage, PullFlag, PullMessage } from '../../src/protocol/requests/pull.ts'
import { SendBatchMessage } from '../../src/protocol/requests/send.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { groupConfig } from '../../src/broker/groups.ts'
import { ServerProcess } from '../support/broker-process.ts'
import { beat, subscription } from '../support/consumers.ts'
import {
  createTopic,
  holdingPull,
  maxOffset,
  messagesOf,
  properties,
  pullHeader,
  readQueue,
  sendHeader,
  sendTo,
} from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'

describe('a broker', () => {
  let broker: ServerProcess
  let client: RawClient
  beforeAll(async () => {
    broker = await ServerProcess.startBroker()
    client = await broker.connect()
    await createTopic(client, 'Three', { queues: 2 })
    for (const text of ['a', 'b', 'c'])
      await sendTo(client, 'Three', {}, { body: Buffer.from(text) })
    await readQueue(client, 'Three', { end: 3 })
  })
  afterAll(() => broker.dispose())

  const pull = (topic: string, changes = {}) => client.ask(PullMessage, pullHeader(topic, changes))

  describe.each([0, 1] as const)('asked with serialize type %i', (serializeType) => {
    test.each([
      ['from the start', 0, 0, 3, 0, 'FOUND'],
      ['from the middle', 0, 2, 3, 0, 'FOUND'],
      ['at the end', 0, 3, 3, 19, 'OFFSET_OVERFLOW_ONE'],
      ['one past the end', 0, 4, 3, 21, 'OFFSET_OVERFLOW_BADLY'],
      ['far past the end', 0, 2 ** 53 - 1, 3, 21, 'OFFSET_OVERFLOW_BADLY'],
      ['before the start', 0, -1, 0, 21, 'OFFSET_TOO_SMALL'],
      ['of an empty queue at 0', 1, 0, 0, 19, 'NO_MESSAGE_IN_QUEUE'],
      ['of an empty queue elsewhere', 1, 5, 0, 21, 'NO_MESSAGE_IN_QUEUE'],
      ['of an empty queue below 0', 1, -3, 0, 21, 'NO_MESSAGE_IN_QUEUE'],
    ])('a pull %s', async (_, queueId, queueOffset, nextBeginOffset, code, remark) => {
      const header = pullHeader('Three', { queueId, queueOffset })
      const answer = await client.ask(PullMessage, header, { serializeType })
      expect(answer).toMatchObject({ code, remark, serializeType, flag: 1, language: 'JAVA' })
      expect(answer.reply).toEqual({
        nextBeginOffset,
        minOffset: 0,
        maxOffset: queueId === 0 ? 3 : 0,
        suggestWhichBrokerId: 0,
        topicSysFlag: 0,
        groupSysFlag: 0,
      })
      const bodies = messagesOf(answer).map(({ body }) => String(body))
      expect(bodies).toEqual(code === 0 ? ['a', 'b', 'c'].slice(queueOffset) : [])
    })
  })

  test('takes lite pulls as it takes pulls', async () => {
    const answer = await client.ask(LitePullMessage, pullHeader('Three', { queueOffset: 1 }))
    expect(messagesOf(answer).map(({ body }) => String(body))).toEqual(['b', 'c'])
  })

  test.each([0, -5, 1])('gives one message for maxMsgNums %i', async (maxMsgNums) => {
    const answer = await pull('Three', { maxMsgNums })
    expect(messagesOf(answer)).toHaveLength(1)
    expect(answer.reply.nextBeginOffset).toBe(1)
  })

  test('gives no more than 32 messages and 256 KiB at once, but always one', async () => {
    await createTopic(client, 'Limits', { queues: 2 })
    const items = Array.from({ length: 40 }, () => ({
      flag: 0,
      body: Buffer.alloc(9),
      properties: '',
    }))
    const batch = { body: encodeBatch(items) }
    await client.ask(SendBatchMessage, sendHeader('Limits'), batch)
    for (const size of [100_000, 100_000, 100_000, 300_000]) {
      await sendTo(client, 'Limits', { queueId: 1 }, { body: Buffer.alloc(size) })
    }
    await readQueue(client, 'Limits', { end: 40 })
    await readQueue(client, 'Limits', { queueId: 1, end: 4 })
    const many = await pull('Limits', { maxMsgNums: 1000 })
    expect(messagesOf(many)).toHaveLength(32)
    expect(many.reply.nextBeginOffset).toBe(32)
    const big = await pull('Limits', { queueId: 1 })
    expect(messagesOf(big)).toHaveLength(2)
    expect(big.reply.nextBeginOffset).toBe(2)
    const huge = await pull('Limits', { queueId: 1, queueOffset: 3 })
    expect(messagesOf(huge).map(({ body }) => body.length)).toEqual([300_000])
  })

  test('pulls of more than the limit in one write are all answered, at the pace of their reader', async () => {
    await createTopic(client, 'Wide')
    for (let i = 0; i < 2; i++) await sendTo(client, 'Wide', {}, { body: Buffer.alloc(120_000, i) })
    await readQueue(client, 'Wide', { end: 2 })
    const fresh = await broker.connect()
    const frames = Array.from({ length: 300 }, () => fresh.frame(PullMessage, pullHeader('Wide')))
    fresh.write(Buffer.concat(frames.map(({ bytes }) => bytes)))
    for (const { opaque } of frames) {
      const answer = await fresh.replyTo(opaque)
      expect(messagesOf(answer).map(({ body }) => body.length)).toEqual([120_000, 120_000])
    }
    fresh.close()
  })

  test.each([2, 3, -1, 2 ** 31 - 1])('refuses queueId %i of two queues', async (queueId) => {
    const { code, remark } = await pull('Three', { queueId })
    expect(code).toBe(ResponseCode.INVALID_PARAMETER)
    expect(remark).toBe(
      `queueId[${queueId}] is illegal, topic:[Three] topicConfig.readQueueNums:[2] consumer may pull from 0 to 1`,
    )
  })

  test.each(['x', '', '1.5', '99999999999999999999', ' 1'])(
    'says what queueOffset %j must be',
    async (text) => {
      const header = pullHeader('Three')
      const spec = {
        ...PullMessage,
        encodeHeader: () => PullMessage.encodeHeader(header).set('queueOffset', text),
      }
      const { code, remark } = await client.ask(spec, header)
      expect(code).toBe(ResponseCode.SYSTEM_ERROR)
      expect(remark).toContain('queueOffset must be an integer')
    },
  )

  test.each(['Nowhere', 'a b', '../../x', ''])('knows no topic %j', async (topic) => {
    const { code, remark } = await pull(topic)
    expect(code).toBe(ResponseCode.TOPIC_NOT_EXIST)
    expect(remark).toBe(`topic[${topic}] not exist, apply first please!`)
  })

  test('refuses pulls of a topic that is not readable', async () => {
    await createTopic(client, 'WriteOnly', { perm: 2 })
    const { code, remark } = await pull('WriteOnly')
    expect(code).toBe(ResponseCode.NO_PERMISSION)
    expect(remark).toBe('the topic[WriteOnly] pulling message is forbidden')
  })

  test('makes an unknown group on its first pull, once', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => broker.connect()))
    const answers = await Promise.all(
      clients.map((each) => each.ask(PullMessage, pullHeader('Three', { consumerGroup: 'fresh' }))),
    )
    expect(answers.map(({ code }) => code)).toEqual(answers.map(() => 0))
    for (const each of clients) each.close()
  })

  test.each(['a b', '../x', '', 'x'.repeat(256), 'Grüppe'])(
    'refuses the group name %j',
    async (consumerGroup) => {
      const { code, remark } = await pull('Three', { consumerGroup })
      expect(code).toBe(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST)
      expect(remark).toMatch(
        /letters, digits and % \| _ - are allowed|1 to 255 characters|max length 255/,
      )
    },
  )

  test('refuses a group whose consumption is turned off', async () => {
    const group = { ...groupConfig('stopped'), consumeEnable: false }
    const body = SubscriptionGroupConfig.encode(group)
    expect((await client.ask(UpdateAndCreateSubscriptionGroup, {}, { body })).code).toBe(0)
    const { code, remark } = await pull('Three', { consumerGroup: 'stopped' })
    expect(code).toBe(ResponseCode.NO_PERMISSION)
    expect(remark).toContain('subscription group no permission, stopped')
  })

  describe('filters by', () => {
    const tagsOf = (answer: Parameters<typeof messagesOf>[0]) =>
      messagesOf(answer).map((message) => message.properties.get('TAGS') ?? '')
    beforeAll(async () => {
      await createTopic(client, 'Tagged')
      for (const tag of ['A', 'B', 'Aa', 'BB', '', 'Ää', '中']) {
        const changes = tag === '' ? {} : { properties: properties({ TAGS: tag }) }
        await sendTo(client, 'Tagged', changes)
      }
      await readQueue(client, 'Tagged', { end: 7 })
    })

    test.each([
      ['*', ['A', 'B', 'Aa', 'BB', '', 'Ää', '中']],
      ['', ['A', 'B', 'Aa', 'BB', '', 'Ää', '中']],
      ['A', ['A']],
      [' A || B ', ['A', 'B']],
      ['A || || B||', ['A', 'B']],
      ['Aa', ['Aa', 'BB']], // one hash: the client compares the tags again
      ['Ää||中', ['Ää', '中']],
    ])('the tags %j', async (text, tags) => {
      expect(tagsOf(await pull('Tagged', { subscription: text }))).toEqual(tags)
    })

    test('tags nobody has, and says where to go on', async () => {
      const { code, reply, remark } = await pull('Tagged', { subscription: 'none' })
      expect(code).toBe(ResponseCode.PULL_RETRY_IMMEDIATELY)
      expect(remark).toBe('NO_MATCHED_MESSAGE')
      expect(reply.nextBeginOffset).toBe(7)
    })

    test('what the last heartbeat of the group said', async () => {
      const wish = subscription('Tagged', {
        subString: 'B',
        tagsSet: ['B'],
        codeSet: [66],
        subVersion: 7,
      })
      await beat(client, { group: 'beating' }, wish)
      const header = { consumerGroup: 'beating', sysFlag: 0, subscription: undefined }
      expect(tagsOf(await pull('Tagged', { ...header, subVersion: 7 }))).toEqual(['B'])
      const newer = await pull('Tagged', { ...header, subVersion: 8 })
      expect(newer.code).toBe(ResponseCode.SUBSCRIPTION_NOT_LATEST)
      const other = await pull('Three', { ...header, subVersion: 7 })
      expect(other.code).toBe(ResponseCode.SUBSCRIPTION_NOT_EXIST)
    })

    test('no subscription at all: there is none without a heartbeat', async () => {
      const { code } = await pull('Tagged', { consumerGroup: 'silent', sysFlag: 0 })
      expect(code).toBe(ResponseCode.SUBSCRIPTION_NOT_EXIST)
    })

    test('SQL92: not in this version', async () => {
      const { code, remark } = await pull('Tagged', {
        expressionType: 'SQL92',
        subscription: 'a > 5',
      })
      expect(code).toBe(ResponseCode.SYSTEM_ERROR)
      expect(remark).toBe('The broker does not support consumer to filter message by SQL92')
    })
  })

  describe('told to commit an offset by a pull', () => {
    const group = { consumerGroup: 'committers', topic: 'Three', queueId: 0 }
    const committed = async () =>
      (await client.ask(QueryConsumerOffset, { ...group, setZeroIfNotFound: false })).reply.offset
    const commit = (commitOffset: number) =>
      pull('Three', {
        consumerGroup: 'committers',
        sysFlag: PullFlag.SUBSCRIPTION | PullFlag.COMMIT_OFFSET,
        commitOffset,
      })

    test('knows it in the next request of the connection', async () => {
      for (const offset of [1, 2, 0]) {
        await commit(offset)
        expect(await committed()).toBe(offset)
      }
    })

    test('does not go back to it after a later commit by UPDATE_CONSUMER_OFFSET', async () => {
      await commit(1)
      await client.ask(UpdateConsumerOffset, { ...group, commitOffset: 3 })
      expect(await committed()).toBe(3)
      await pull('Three') // without the flag: commits nothing
      expect(await committed()).toBe(3)
    })

    test('leaves it alone when it is negative', async () => {
      await commit(2)
      await commit(-1)
      expect(await committed()).toBe(2)
    })

    test('still knows it after a stop and a start', async () => {
      const settings = { storePathRootDir: broker.store }
      await commit(1)
      await broker.stop()
      broker = await ServerProcess.startBroker(settings, broker.folder)
      client = await broker.connect()
      expect(await committed()).toBe(1)
      expect(await maxOffset(client, 'Three', 0)).toBe(3)
    })
  })
})

describe('a broker without long polling and without groups that make themselves', () => {
  let broker: ServerProcess
  let client: RawClient
  beforeAll(async () => {
    const polling = { longPollingEnable: false, shortPollingTimeMills: 100 }
    broker = await ServerProcess.startBroker({ ...polling, autoCreateSubscriptionGroup: false })
    client = await broker.connect()
    await createTopic(client, 'T')
  })
  afterAll(() => broker.dispose())

  test('lets a pull wait for shortPollingTimeMills, whatever it asks for', async () => {
    const startedAt = performance.now()
    const changes = { consumerGroup: 'TOOLS_CONSUMER', suspendTimeoutMillis: 60_000 }
    const { code } = await client.ask(PullMessage, holdingPull('T', changes))
    expect(code).toBe(ResponseCode.PULL_NOT_FOUND)
    expect(performance.now() - startedAt).toBeGreaterThan(98)
  })

  test('refuses a pull of an unknown group', async () => {
    const { code, remark } = await client.ask(PullMessage, pullHeader('T'))
    expect(code).toBe(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST)
    expect(remark).toContain('[consumers] does not exist: autoCreateSubscriptionGroup')
  })
})
