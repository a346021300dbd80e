/**
 * The far side of the wire for tests of the client: a name server and a broker on one port, with
 * its queues in memory and answers that a test can turn bad. What the client does with real ones is
 * in test/interop.
 */
import { systemClock } from '../../src/base/clock.ts'
import { hostBytes } from '../../src/net/address.ts'
import { Handlers } from '../../src/net/handlers.ts'
import { RemotingServer } from '../../src/net/remoting-server.ts'
import { ConsumerList, HeartbeatData } from '../../src/protocol/bodies/heartbeat.ts'
import { TopicList } from '../../src/protocol/bodies/topic-list.ts'
import { encodeTopicRoute } from '../../src/protocol/bodies/topic-route.ts'
import { batchItems } from '../../src/protocol/batch-body.ts'
import { encodeOffsetMessageId } from '../../src/protocol/message-id.ts'
import { LockBatchBody, LockBatchReply } from '../../src/protocol/bodies/message-queue.ts'
import { decodeProperties } from '../../src/protocol/message.ts'
import { requestCommand, type RemotingCommand } from '../../src/protocol/remoting-command.ts'
import type { RequestSpec } from '../../src/protocol/request.ts'
import { requestCodeName } from '../../src/protocol/request.ts'
import {
  GetConsumerListByGroup,
  HeartBeat,
  LockBatchMq,
  NotifyConsumerIdsChanged,
  UnlockBatchMq,
  UnregisterClient,
} from '../../src/protocol/requests/client.ts'
import {
  GetMaxOffset,
  GetMinOffset,
  QueryConsumerOffset,
  SearchOffsetByTimestamp,
  UpdateConsumerOffset,
} from '../../src/protocol/requests/offset.ts'
import { PullFlag, PullMessage, type PullHeader } from '../../src/protocol/requests/pull.ts'
import { ConsumerSendMsgBack } from '../../src/protocol/requests/retry.ts'
import {
  GetAllTopicListFromNameserver,
  GetRouteInfoByTopic,
} from '../../src/protocol/requests/route.ts'
import {
  SendBatchMessage,
  SendMessageV2,
  type SendHeader,
} from '../../src/protocol/requests/send.ts'
import { decodeRecallHandle } from '../../src/protocol/recall-handle.ts'
import { RecallMessage } from '../../src/protocol/requests/timer.ts'
import type { ResponseCodeName } from '../../src/protocol/response-code.ts'
import { ResponseError } from '../../src/protocol/response-error.ts'

export interface FakeMessage {
  topic: string
  queueId: number
  offset: number
  sysFlag: number
  body: Buffer
  properties: Map<string, string>
}

type Peer = Parameters<Parameters<Handlers['register']>[1]>[1]

export class FakeCluster {
  readonly brokerName: string
  /** Topic to queue count. A topic comes into being by a send when TBW102 is there. */
  readonly topics = new Map<string, number>()
  /** Other brokers that routes name: broker name to address. */
  readonly others = new Map<string, string>()
  readonly messages: FakeMessage[] = []
  readonly committed = new Map<string, number>()
  readonly sentBack: { offset: number; delayLevel: number; group: string }[] = []
  /** Names of all requests, in the order they came. */
  readonly requests: string[] = []
  readonly heartbeats: HeartbeatData[] = []
  /** `topic/queueId` to the client that has it locked. */
  readonly locks = new Map<string, string>()
  /** By request code name: the answer instead of the right one. */
  readonly refusals = new Map<string, ResponseCodeName>()
  /** What a send is answered that is stored all the same. */
  afterSend: ResponseCodeName = 'SUCCESS'
  minOffset = 0
  /**
   * Added to the offsets at which pulls are told to go on: what a broker that is out of order does.
   */
  skew = 0
  port = 0
  readonly #server: RemotingServer
  readonly #members = new Map<string, Peer>()
  readonly #watchers = new Set<() => void>()

  private constructor(brokerName: string) {
    this.brokerName = brokerName
    this.#server = new RemotingServer({
      handlers: this.#handlers(),
      clock: systemClock,
      idleMs: 60_000,
      outputMax: 1 << 24,
      outputHardMax: 1 << 26,
      onClose: () => setImmediate(() => this.#happened()),
    })
  }

  static async start(brokerName = 'broker-a', port = 0): Promise<FakeCluster> {
    const cluster = new FakeCluster(brokerName)
    cluster.port = await cluster.#server.listen({ host: '127.0.0.1', port })
    return cluster
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get connectionCount(): number {
    return this.#server.connections.count
  }

  /** Resolves when `isTrue` holds after some request, or after a connection has ended. */
  async until(isTrue: () => boolean): Promise<void> {
    if (isTrue()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const watcher = () => isTrue() && resolve()
    this.#watchers.add(watcher)
    await promise
    this.#watchers.delete(watcher)
  }

  append(
    topic: string,
    queueId: number,
    text: string,
    properties: Record<string, string> = {},
  ): void {
    this.#append({
      topic,
      queueId,
      sysFlag: 0,
      body: Buffer.from(text),
      properties: new Map(Object.entries(properties)),
    })
  }

  /** Forgets who consumes, as a broker that restarts does. */
  forgetMembers(): void {
    this.#members.clear()
  }

  /** Sends this to all consumers, one-way. */
  tell(command: RemotingCommand): void {
    for (const peer of this.#members.values()) peer.send({ ...command, flag: 2 })
  }

  async close(): Promise<void> {
    await this.#server.close()
    this.#happened()
  }

  #happened(): void {
    for (const watcher of this.#watchers) watcher()
  }

  #handlers(): Handlers {
    const handlers = new Handlers()
    this.#on(handlers, GetAllTopicListFromNameserver, () => ({
      body: TopicList.encode({ topicList: [...this.topics.keys()] }),
    }))
    this.#on(handlers, GetRouteInfoByTopic, ({ topic }) => ({ body: this.#route(topic) }))
    this.#on(handlers, HeartBeat, (_, request, peer) => this.#heartbeat(request, peer))
    this.#on(handlers, UnregisterClient, ({ clientID }) => {
      this.#members.delete(clientID)
      this.#notify()
    })
    this.#on(handlers, GetConsumerListByGroup, () => ({
      body: ConsumerList.encode({ consumerIdList: [...this.#members.keys()] }),
    }))
    this.#on(handlers, SendMessageV2, (header, { body }) => ({
      header: this.#send(header, [body!]),
      code: this.afterSend,
    }))
    this.#on(handlers, RecallMessage, ({ recallHandle }) => ({
      header: { msgId: decodeRecallHandle(recallHandle)!.messageId },
    }))
    this.#on(handlers, SendBatchMessage, (header, { body }) => {
      const items = [...batchItems(body!)]
      return {
        header: this.#send(
          header,
          items.map((item) => item.body),
        ),
      }
    })
    this.#on(handlers, LockBatchMq, (_, { body }) => ({ body: this.#lock(body!) }))
    this.#on(handlers, UnlockBatchMq, (_, { body }) => {
      const { clientId, mqSet } = LockBatchBody.decode(body)
      for (const { topic, queueId } of mqSet) {
        if (this.locks.get(`${topic}/${queueId}`) === clientId)
          this.locks.delete(`${topic}/${queueId}`)
      }
    })
    this.#on(handlers, PullMessage, (header) => this.#pull(header))
    this.#on(handlers, QueryConsumerOffset, ({ topic, queueId }) => {
      const offset = this.committed.get(`${topic}/${queueId}`)
      if (offset === undefined) throw new ResponseError('QUERY_NOT_FOUND', 'never committed')
      return { header: { offset } }
    })
    this.#on(handlers, UpdateConsumerOffset, ({ topic, queueId, commitOffset }) => {
      this.committed.set(`${topic}/${queueId}`, commitOffset)
    })
    this.#on(handlers, GetMaxOffset, (header) => ({
      header: { offset: this.#queue(header).length },
    }))
    this.#on(handlers, GetMinOffset, () => ({ header: { offset: this.minOffset } }))
    this.#on(handlers, SearchOffsetByTimestamp, () => ({ header: { offset: 1 } }))
    this.#on(handlers, ConsumerSendMsgBack, (header) => void this.sentBack.push(header))
    return handlers
  }

  #on<H, R>(
    handlers: Handlers,
    spec: RequestSpec<H, R>,
    answer: (
      header: H,
      request: RemotingCommand,
      peer: Peer,
    ) => Answer<R> | void | Promise<Answer<R>>,
  ): void {
    handlers.on(spec, async (header, { request, peer }) => {
      const name = requestCodeName(request.code)!
      this.requests.push(name)
      setImmediate(() => this.#happened())
      const refusal = this.refusals.get(name)
      try {
        if (refusal !== undefined) throw new ResponseError(refusal, `refused: ${refusal}`)
        return await answer(header, request, peer)
      } finally {
        setImmediate(() => this.#happened())
      }
    })
  }

  #route(topic: string): Buffer {
    const count = this.topics.get(topic)
    if (count === undefined) throw new ResponseError('TOPIC_NOT_EXIST', `no topic ${topic}`)
    const brokers = new Map([[this.brokerName, this.address], ...this.others])
    const names = [...brokers.keys()]
    return encodeTopicRoute(
      {
        brokerDatas: names.map((brokerName) => ({
          brokerName,
          cluster: 'c',
          enableActingMaster: false,
          brokerAddrs: new Map([[0, brokers.get(brokerName)!]]),
        })),
        queueDatas: names.map((brokerName) => ({
          brokerName,
          perm: 6,
          topicSysFlag: 0,
          readQueueNums: count,
          writeQueueNums: count,
        })),
        filterServerTable: new Map(),
      },
      'standard',
    )
  }

  #heartbeat({ body }: RemotingCommand, peer: Peer): void {
    const heartbeat = HeartbeatData.decode(body)
    this.heartbeats.push(heartbeat)
    if (heartbeat.consumerDataSet.length === 0 || this.#members.has(heartbeat.clientID)) return
    this.#members.set(heartbeat.clientID, peer)
    this.#notify()
  }

  /** Tells every consumer that members came or went. */
  #notify(): void {
    const header = NotifyConsumerIdsChanged.encodeHeader({ consumerGroup: 'group' })
    const command = requestCommand(NotifyConsumerIdsChanged.code, header)
    for (const peer of this.#members.values()) peer.send({ ...command, flag: 2 })
  }

  #send(header: SendHeader, bodies: Uint8Array[]) {
    const { topic, queueId, sysFlag, properties = '' } = header
    if (!this.topics.has(topic)) this.topics.set(topic, header.defaultTopicQueueNums)
    const queueOffset = this.#queue(header).length
    for (const body of bodies) {
      const copy = Buffer.from(body)
      this.#append({
        topic,
        queueId,
        sysFlag,
        body: copy,
        properties: decodeProperties(properties),
      })
    }
    const place = { storeHost: hostOf(this.port), position: queueOffset }
    return { msgId: encodeOffsetMessageId(place), queueId, queueOffset }
  }

  /** Gives what nobody else has. */
  #lock(body: Uint8Array): Uint8Array {
    const { clientId, mqSet } = LockBatchBody.decode(body)
    const lockOKMQSet = mqSet.filter(({ topic, queueId }) => {
      const owner = this.locks.get(`${topic}/${queueId}`) ?? clientId
      if (owner === clientId) this.locks.set(`${topic}/${queueId}`, clientId)
      return owner === clientId
    })
    return LockBatchReply.encode({ lockOKMQSet })
  }

  #append(message: Omit<FakeMessage, 'offset'>): void {
    this.messages.push({ ...message, offset: this.#queue(message).length })
    this.#happened()
  }

  #queue({ topic, queueId }: { topic: string; queueId: number }): FakeMessage[] {
    return this.messages.filter((each) => each.topic === topic && each.queueId === queueId)
  }

  /** Held until a message comes, or for ever: no test waits for the end of a hold. */
  async #pull(header: PullHeader) {
    const { queueOffset, sysFlag, maxMsgNums, topic } = header
    const isKnown = (sysFlag & PullFlag.SUBSCRIPTION) !== 0 || this.#members.size > 0
    if (!isKnown) throw new ResponseError('SUBSCRIPTION_NOT_EXIST', `${topic}: who are you?`)
    const hasNew = () => this.#queue(header).length > queueOffset
    if ((sysFlag & PullFlag.SUSPEND) !== 0) await this.until(hasNew)
    const found = this.#queue(header).slice(queueOffset, queueOffset + maxMsgNums)
    const isMoved = queueOffset < this.minOffset
    const reply = {
      suggestWhichBrokerId: 0,
      nextBeginOffset: isMoved ? this.minOffset : queueOffset + found.length + this.skew,
      minOffset: this.minOffset,
      maxOffset: this.#queue(header).length,
    }
    if (isMoved) return { header: reply, code: 'PULL_OFFSET_MOVED' as const }
    if (found.length === 0) return { header: reply, code: 'PULL_NOT_FOUND' as const }
    return { header: reply, body: Buffer.concat(found.map((each) => record(each, this.port))) }
  }
}

interface Answer<R> {
  header?: R
  body?: Uint8Array
  code?: ResponseCodeName
}

function hostOf(port: number): Uint8Array {
  const host = Buffer.alloc(8)
  host.set(hostBytes('127.0.0.1'))
  host.writeInt32BE(port, 4)
  return host
}

/** A message in its stored form; see protocol/message.ts. */
function record(message: FakeMessage, port: number): Buffer {
  const { topic, queueId, offset, sysFlag, body } = message
  const topicBytes = Buffer.from(topic)
  const text = Array.from(message.properties, ([name, value]) => `${name}\u0001${value}\u0002`)
  const properties = Buffer.from(text.join(''))
  const fixed = Buffer.alloc(88)
  const length = 88 + body.length + 1 + topicBytes.length + 2 + properties.length
  fixed.writeInt32BE(length, 0)
  fixed.writeInt32BE(0xdaa320a7 | 0, 4)
  fixed.writeInt32BE(queueId, 12)
  fixed.writeInt32BE(offset, 24)
  fixed.writeInt32BE(offset, 32)
  fixed.writeInt32BE(sysFlag, 36)
  fixed.set(hostOf(port), 48)
  fixed.set(hostOf(port), 64)
  fixed.writeInt32BE(body.length, 84)
  const propertiesLength = Buffer.from([properties.length >> 8, properties.length & 255])
  return Buffer.concat([
    fixed,
    body,
    Buffer.from([topicBytes.length]),
    topicBytes,
    propertiesLength,
    properties,
  ])
}
