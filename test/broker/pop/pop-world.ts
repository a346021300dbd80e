/** POP over a log in memory whose every step a test takes: nothing is written, dispatched or due by itself. */
import { ConsumerOffsets } from '../../../src/broker/consumer-offsets.ts'
import type { ConfigFile } from '../../../src/broker/config-json.ts'
import { groupConfig } from '../../../src/broker/groups.ts'
import type { MessageDraft } from '../../../src/broker/message-draft.ts'
import { CheckPoints } from '../../../src/broker/pop/check-points.ts'
import { HeldPops } from '../../../src/broker/pop/held-pops.ts'
import { PopOrders } from '../../../src/broker/pop/pop-orders.ts'
import { PopQueues } from '../../../src/broker/pop/pop-queues.ts'
import type { PopRequest, Taken } from '../../../src/broker/pop/pop-request.ts'
import { ALL_MESSAGES } from '../../../src/broker/pop/pop-store.ts'
import { PopTaker } from '../../../src/broker/pop/pop-taker.ts'
import { Pops } from '../../../src/broker/pop/pops.ts'
import { Revival } from '../../../src/broker/pop/revival.ts'
import { type Appends, ReviveLog } from '../../../src/broker/pop/revive-log.ts'
import type { topicConfig } from '../../../src/broker/system-topics.ts'
import { parseJson, type JsonObject } from '../../../src/protocol/json.ts'
import { messagesIn } from '../../../src/protocol/message.ts'
import { MemoryLog } from '../memory-log.ts'
import { MemoryQueues } from './memory-queues.ts'

const HOST = Uint8Array.of(127, 0, 0, 1, 0, 0, 42, 159)
const REVIVE = 'rmq_sys_REVIVE_LOG_C'
const REVIVE_QUEUES = 2
const GROUP = 'g'
const TOPIC = 'T'

/** config/consumerOffset.json, whose content survives. */
class MemoryFile {
  text: string | null = null
  readonly path = 'consumerOffset.json'

  load(): Promise<JsonObject | null> {
    return Promise.resolve(this.text === null ? null : (parseJson(this.text) as JsonObject))
  }

  save(text: string): Promise<void> {
    this.text = text
    return Promise.resolve()
  }
}

/** A message that a client holds. */
export interface Held {
  id: string
  topic: string
  queueId: number
  queueOffset: number
  startOffset: number
  popTime: number
  invisibleTime: number
  reviveQueueId: number
  /** The run of the broker that gave it. */
  attempts: number
}

export class PopWorld {
  readonly clock = { time: 1_700_000_000_000, now: (): number => this.clock.time }
  readonly log = new MemoryLog()
  readonly #store = new MemoryQueues()
  readonly #file = new MemoryFile()
  readonly #dice: () => number
  #offsets!: ConsumerOffsets
  #pops!: Pops
  #sent = 0
  #run = 0

  private constructor(dice: () => number) {
    this.#dice = dice
    this.#store.add(TOPIC, 2)
    this.#store.add(REVIVE, REVIVE_QUEUES)
  }

  static async start(dice: () => number): Promise<PopWorld> {
    const world = new PopWorld(dice)
    await world.#open()
    return world
  }

  /** Sends one, safely, to be seen at once. Returns its name. */
  send(queueId: number): string {
    const id = `m${this.#sent++}`
    this.#store.append({
      topic: TOPIC,
      queueId,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 0,
      bornHost: HOST,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      properties: Buffer.alloc(0),
      body: Buffer.from(id),
    })
    return id
  }

  async pop(countMax: number, invisibleTime: number): Promise<Held[]> {
    const request: PopRequest = {
      group: GROUP,
      topic: TOPIC,
      queueId: -1,
      countMax,
      invisibleTime,
      initMode: 0,
      isOrder: false,
      attemptId: undefined,
      filter: ALL_MESSAGES,
    }
    return heldOf(await this.#pops.take(request), invisibleTime)
  }

  ack(held: readonly Held[]): Promise<void> {
    const [first] = held
    return this.#pops.ack(receiptOf(first!, held))
  }

  async change(held: Held, invisibleTime: number): Promise<Held> {
    const { popTime } = await this.#pops.change(receiptOf(held, [held]), invisibleTime)
    return { ...held, popTime, invisibleTime, startOffset: held.queueOffset }
  }

  /** Records reach the file, all or some of them. */
  write(count?: number): void {
    this.#store.write(count)
  }

  /** All that is under way comes to its end. */
  async settle(): Promise<void> {
    for (let nth = 0; nth < 12; nth++) {
      this.#store.write()
      this.#store.dispatch()
      await turn()
    }
    this.#pops.onWake()
    await turn()
  }

  async tick(ms: number): Promise<void> {
    this.clock.time += ms
    const done = this.#pops.onTime()
    await this.settle()
    await done
  }

  saveOffsets(): Promise<void> {
    return this.#offsets.flush()
  }

  async crash(): Promise<void> {
    this.#store.crash()
    await this.#open()
  }

  async restart(): Promise<void> {
    const closed = this.#pops.close()
    await this.settle()
    await closed
    await this.#offsets.flush()
    this.#store.crash()
    await this.#open()
  }

  /** What a run that a crash has ended was about to append is in no log. */
  #appendsOf(run: number): Appends {
    const append = (draft: MessageDraft) =>
      run === this.#run ? this.#store.append(draft) : { queueOffset: 0, survived: never() }
    return {
      append: async (draft) => {
        const { queueOffset, survived } = append(draft)
        await survived
        return { position: 0, end: 0, queueOffset, storeTimestamp: 0 }
      },
      appendNow: (draft) => ({ position: 0, end: 0, storeTimestamp: 0, ...append(draft) }),
    }
  }

  async #open(): Promise<void> {
    const { clock, log } = this
    const run = ++this.#run // before anything else has a turn
    const store = this.#store
    const file = this.#file as unknown as ConfigFile
    const offsets = new ConsumerOffsets({ file, flushIntervalMs: 2 ** 30, clock, log })
    await offsets.load()
    this.#offsets = offsets
    const queues = new PopQueues(offsets)
    const appends = this.#appendsOf(run)
    const brokerName = 'b'
    const settings = {
      brokerName,
      popFromRetryProbability: 20,
      enableRetryTopicV2: false,
      retrieveMessageFromPopRetryTopicV1: true,
      popResponseReturnActualRetryTopic: true,
      enablePopMessageThreshold: false,
      popInflightMessageThreshold: 10_000,
      initPopOffsetByCheckMsgInMem: true,
    }
    const orders = new PopOrders({ file, clock, log })
    const checkPoints = new CheckPoints({
      log: new ReviveLog({ topic: REVIVE, appends, host: HOST, clock }),
      store,
      queues,
      offsets,
      reviveTopic: REVIVE,
      reviveQueueCount: REVIVE_QUEUES,
      brokerName,
      openMax: () => 1000,
      clock,
      logger: log,
    })
    const topics = {
      get: (name: string) => store.topics.get(name),
      ensure: async (config: ReturnType<typeof topicConfig>) => {
        store.add(config.topicName, config.readQueueNums)
        return config
      },
    }
    const limits = { popPollingSize: 9, popPollingMapSize: 9, maxPopPollingSize: 9 }
    const held = new HeldPops({ store, queuesOf: () => 2, limits, clock, onHolding: () => {} })
    const taker = new PopTaker({
      settings,
      store,
      queueStore: { isInMemory: () => Promise.resolve(true) },
      topics,
      queues,
      orders,
      checkPoints,
      onGiven: () => {},
      onMoved: () => {},
      clock,
      random: this.#dice,
    })
    const revival = new Revival({
      checkPoints,
      store,
      topics,
      groups: { get: () => groupConfig(GROUP) },
      offsets,
      appends,
      host: HOST,
      isRetryV2: () => false,
      onRetryTopic: () => {},
      report: (problem, error) => log.error({ error: String(error) }, problem),
    })
    const parts = { store, queues, orders, checkPoints, taker, revival, held, clock, log }
    this.#pops = new Pops({ ...parts, isThresholdOn: () => false, wakeAfter: () => () => {} })
    await this.settle()
  }
}

function never(): Promise<never> {
  return new Promise(() => {})
}

function receiptOf(first: Held, held: readonly Held[]) {
  const { topic, queueId, startOffset, popTime, invisibleTime, reviveQueueId } = first
  const receipt = { startOffset, popTime, invisibleTime, reviveQueueId, brokerName: 'b' }
  const offsets = held.map(({ queueOffset }) => queueOffset)
  return { group: GROUP, topic, queueId, offsets, receipt }
}

function heldOf(
  { parts, startOffsets, popTime, reviveQueueId }: Taken,
  invisibleTime: number,
): Held[] {
  return parts.flatMap((bytes, nth) =>
    Array.from(messagesIn(bytes), ({ topic, queueId, queueOffset, body, reconsumeTimes }) => ({
      id: Buffer.from(body).toString(),
      topic,
      queueId,
      queueOffset,
      startOffset: Number(startOffsets[nth]!.split(' ')[2]),
      popTime,
      invisibleTime,
      reviveQueueId,
      attempts: reconsumeTimes,
    })),
  )
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
