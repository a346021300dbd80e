/** Consuming in order: through a broker of ours, and with one that turns bad. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  Producer,
  PullConsumer,
  PushConsumer,
  type OrderlyListener,
  type PushConsumerOptions,
  type ReceivedMessage,
} from '../../src/client/index.ts'
import { LockBatchBody, LockBatchReply } from '../../src/protocol/bodies/message-queue.ts'
import { LockBatchMq } from '../../src/protocol/requests/client.ts'
import { useCluster } from '../mqadmin/open-cluster.ts'
import { createTopic } from '../support/messages.ts'
import { FakeCluster } from './fake-cluster.ts'

const open: { close: () => Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
  vi.useRealTimers()
})

/** Long beyond need: a busy machine is no failure. */
const PATIENT = { interval: 1, timeout: 50_000 }

/** But for the retry topic. */
const assigned = (consumer: PushConsumer) =>
  consumer.assigned.filter(({ topic }) => !topic.startsWith('%RETRY%'))

const textOf = ({ body }: ReceivedMessage) => Buffer.from(body).toString()

describe('through our broker', () => {
  const cluster = useCluster()

  async function topicOf(topic: string, queues: number): Promise<void> {
    await createTopic(await cluster.current.client(), topic, { queues })
    await cluster.current.known(topic)
  }

  function producer(): Producer {
    const started = new Producer({ group: 'shop', nameServers: cluster.current.namesrv.address })
    open.push(started)
    started.start()
    return started
  }

  /** Texts `0` to `count - 1` into one queue. */
  async function fill(topic: string, queueId: number, count: number): Promise<void> {
    const sender = producer()
    const queue = { topic, brokerName: 'broker-a', queueId }
    const [own] = (await sender.queues(topic)).filter((each) => each.queueId === queueId)
    for (let nth = 0; nth < count; nth++) {
      await sender.send({ topic, body: `${nth}` }, { queue: own ?? queue })
    }
  }

  function consumer(
    topic: string,
    listener: OrderlyListener,
    options: Partial<PushConsumerOptions> = {},
  ): PushConsumer {
    const started = new PushConsumer({
      group: `in-order-${topic}`,
      nameServers: cluster.current.namesrv.address,
      consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
      report: () => {},
      ...options,
    })
    open.push(started)
    started.subscribe(topic)
    started.startOrderly(listener)
    return started
  }

  test('messages of one queue come one behind the other, those of different queues side by side', async () => {
    await topicOf('Ordered', 4)
    for (const queueId of [0, 1, 2, 3]) await fill('Ordered', queueId, 40)
    const seen = new Map<number, string[]>()
    const running = new Set<number>()
    let most = 0
    const all = Promise.withResolvers<void>()
    consumer(
      'Ordered',
      async (messages, { queue: { queueId } }) => {
        expect(running.has(queueId)).toBe(false)
        most = Math.max(most, running.add(queueId).size)
        await new Promise((resolve) => setImmediate(resolve))
        running.delete(queueId)
        seen.set(queueId, [...(seen.get(queueId) ?? []), ...messages.map(textOf)])
        if ([...seen.values()].flat().length === 160) all.resolve()
      },
      { consumeBatchMax: 3 },
    )
    await all.promise
    const upTo40 = Array.from({ length: 40 }, (_, nth) => `${nth}`)
    expect([...seen.values()]).toEqual([upTo40, upTo40, upTo40, upTo40])
    expect(most).toBeGreaterThan(1)
  })

  test('what fails holds up its own queue, and no other', async () => {
    await topicOf('Failing', 2)
    await fill('Failing', 0, 4)
    const seen: string[] = []
    const first = Promise.withResolvers<void>()
    const other = Promise.withResolvers<void>()
    const all = Promise.withResolvers<void>()
    let isMended = false
    consumer(
      'Failing',
      ([message], { queue }) => {
        if (queue.queueId === 1) return other.resolve()
        seen.push(`${textOf(message!)} try ${message!.reconsumeTimes}`)
        if (textOf(message!) === '3') all.resolve()
        if (textOf(message!) !== '1' || isMended) return 'SUCCESS'
        first.resolve()
        if (message!.reconsumeTimes > 0) return 'SUSPEND_CURRENT_QUEUE_A_MOMENT'
        throw new Error('the database is gone')
      },
      { suspendMs: 10 },
    )
    await first.promise
    await fill('Failing', 1, 1)
    await other.promise
    isMended = true
    await all.promise
    const tries = seen.filter((each) => each.startsWith('1'))
    expect(tries).toEqual(tries.map((_, nth) => `1 try ${nth}`))
    expect(tries.length).toBeGreaterThan(1)
    expect(seen).toEqual(['0 try 0', ...tries, '2 try 0', '3 try 0'])
  })

  test('what failed too often is a dead letter, and the next one comes', async () => {
    await topicOf('Dying', 1)
    const sender = producer()
    const body = 'again and '.repeat(1000) // compressed
    const { msgId } = await sender.send({ topic: 'Dying', body, keys: 'k', properties: { a: 'b' } })
    await sender.send({ topic: 'Dying', body: 'next' })
    const tries: number[] = []
    const next = Promise.withResolvers<void>()
    consumer(
      'Dying',
      ([message]) => {
        if (textOf(message!) === 'next') return next.resolve()
        tries.push(message!.reconsumeTimes)
        return { suspendMs: 10 }
      },
      { maxReconsumeTimes: 2 },
    )
    await next.promise
    expect(tries).toEqual([0, 1, 2])
    const reader = new PullConsumer({
      group: 'readers',
      nameServers: cluster.current.namesrv.address,
    })
    open.push(reader)
    reader.start()
    await cluster.current.known('%DLQ%in-order-Dying')
    const [queue] = await reader.queues('%DLQ%in-order-Dying')
    const { messages } = await reader.pull(queue!, { offset: 0, holdMs: 30_000 })
    expect(messages.map(textOf)).toEqual([body])
    expect(messages[0]).toMatchObject({ msgId, keys: ['k'] })
    const { properties } = messages[0]!
    expect(properties.get('a')).toBe('b')
    expect(properties.get('RETRY_TOPIC')).toBe('Dying')
    expect(properties.get('ORIGIN_MESSAGE_ID')).toBe(msgId)
  })

  test('a queue that goes to another member goes on behind what the first one has consumed', async () => {
    await topicOf('Moving', 2)
    for (const queueId of [0, 1]) await fill('Moving', queueId, 6)
    const seen = new Map<number, string[]>([
      [0, []],
      [1, []],
    ])
    const note = (who: string, [message]: readonly ReceivedMessage[]) => {
      seen.get(message!.queue.queueId)!.push(`${textOf(message!)} ${who}`)
    }
    const busy = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    let hanging = 0
    const one = consumer('Moving', async (messages) => {
      if (textOf(messages[0]!) === '2') {
        if (++hanging === 2) busy.resolve()
        await finish.promise
      }
      note('one', messages)
    })
    await busy.promise // the third message of both queues is with the listener
    const all = Promise.withResolvers<void>()
    const other = consumer('Moving', (messages) => {
      note('other', messages)
      if (textOf(messages[0]!) === '5') all.resolve()
    })
    await vi.waitUntil(() => assigned(one).length === 1, PATIENT)
    expect(assigned(other)).toEqual([])
    finish.resolve()
    await all.promise
    const left = assigned(one)[0]!.queueId
    await vi.waitUntil(() => seen.get(left)!.length === 6, PATIENT)
    expect(seen.get(left)).toEqual([0, 1, 2, 3, 4, 5].map((nth) => `${nth} one`))
    expect(seen.get(1 - left)).toEqual([
      ...[0, 1, 2].map((nth) => `${nth} one`),
      ...[3, 4, 5].map((nth) => `${nth} other`),
    ])
  })

  test('a consumer that closes lets others have its queues at once', async () => {
    await topicOf('Given', 2)
    await fill('Given', 0, 1)
    const consumed = Promise.withResolvers<void>()
    const first = consumer('Given', () => consumed.resolve())
    await consumed.promise
    await vi.waitUntil(() => assigned(first).length === 2, PATIENT)
    const queues = assigned(first)
    const stranger = await cluster.current.client()
    const lock = async () => {
      const request = { clientId: 'stranger', consumerGroup: 'in-order-Given', mqSet: queues }
      const body = LockBatchBody.encode({ ...request, onlyThisBroker: false })
      const answer = await stranger.ask(LockBatchMq, {}, { body })
      return LockBatchReply.decode(answer.body).lockOKMQSet.length
    }
    expect(await lock()).toBe(0)
    await first.close()
    expect(await lock()).toBe(2)
  })
})

describe('with a broker that forgets', () => {
  let cluster: FakeCluster
  let now = Date.now()

  async function started(listener: OrderlyListener) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true })
    cluster = await FakeCluster.start()
    open.push(cluster)
    cluster.topics.set('Orders', 1)
    const consumer = new PushConsumer({
      group: 'group',
      nameServers: cluster.address,
      consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
      clock: { now: () => now },
      report: () => {},
    })
    open.unshift(consumer)
    consumer.subscribe('Orders')
    consumer.startOrderly(listener)
  }

  /** Lets time pass until something holds. */
  async function passUntil(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      await vi.advanceTimersByTimeAsync(100)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  const locked = () => cluster.requests.filter((name) => name === 'LOCK_BATCH_MQ').length

  test('a queue that another has meanwhile is not consumed any further, and nothing of it committed', async () => {
    const seen: string[] = []
    const busy = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    await started(async ([message]) => {
      seen.push(textOf(message!))
      busy.resolve()
      await finish.promise
    })
    for (const text of ['a', 'b', 'c']) cluster.append('Orders', 0, text)
    await busy.promise
    cluster.locks.set('Orders/0', 'stranger')
    const before = locked()
    await passUntil(() => locked() > before + 1) // it was told, and asks again whether it may
    cluster.committed.set('Orders/0', 1)
    finish.resolve()
    await passUntil(() => locked() > before + 3)
    expect(seen).toEqual(['a'])
    expect(cluster.committed.get('Orders/0')).toBe(1)
    cluster.locks.delete('Orders/0')
    cluster.committed.set('Orders/0', 2) // how far the other came
    await passUntil(() => seen.length === 2)
    expect(seen).toEqual(['a', 'c'])
  })

  test.each([
    ['goes on', 0, ['a', 'b', 'c']],
    ['begins anew where another came to', 2, ['a', 'c']],
  ])('when locks could not be renewed in time, it waits, and then %s', async (_, other, texts) => {
    const seen: string[] = []
    const busy = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    await started(async ([message]) => {
      seen.push(textOf(message!))
      busy.resolve()
      await finish.promise
    })
    for (const text of ['a', 'b', 'c']) cluster.append('Orders', 0, text)
    await busy.promise
    cluster.refusals.set('LOCK_BATCH_MQ', 'SYSTEM_ERROR')
    now += 60_000
    const before = locked()
    finish.resolve()
    await passUntil(() => locked() > before + 1)
    expect(seen).toEqual(['a'])
    cluster.committed.set('Orders/0', other)
    cluster.refusals.clear()
    await passUntil(() => seen.length === texts.length)
    expect(seen).toEqual(texts)
  })
})
