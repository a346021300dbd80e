import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import { hasLightQueues } from '../config/store.ts'
import { delaysIn } from '../config/delay-levels.ts'
import type { SubscriptionGroupConfig } from '../protocol/bodies/subscription-group.ts'
import type { TopicConfig } from '../protocol/bodies/topic-config.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { StopKind } from '../store/last-stop.ts'
import { LogAppender } from '../store/log-appender.ts'
import { MAIN_WAITER, Thread } from '../store/log-memory.ts'
import { LogWindow } from '../store/log-window.ts'
import type { BrokerContext } from './broker-context.ts'
import { appendMax, type BrokerStore } from './broker-store.ts'
import { ConfigFile } from './config-json.ts'
import { DelayOffsets } from './delay-offsets.ts'
import { DelayService, type WaitingQueue } from './delay-service.ts'
import { MainLight } from './main-light.ts'
import { MainLog } from './main-log.ts'
import { draftOf } from './message-draft.ts'
import type { MessageQueries } from './message-queries.ts'
import { openPops } from './pop/open-pops.ts'
import type { Pops } from './pop/pops.ts'
import { Permission, topicConfig } from './system-topics.ts'
import {
  CHECK_MAX_TIME_TOPIC,
  deadLetterTopic,
  HALF_OP_TOPIC,
  HALF_TOPIC,
  RETRY_TOPIC_LENGTH_MAX,
  SCHEDULE_TOPIC,
  shown,
  TIMER_TOPIC,
} from './topic-names.ts'
import { committedBefore } from './committed-before.ts'
import { Timers } from './timers.ts'
import { TransactionChecks } from './transaction-checks.ts'
import { Transactions } from './transactions.ts'
import { UnitBlock } from './unit-block.ts'
import type { WorkerCounters } from './worker-counters.ts'

/** What main does with messages: those that come back, wait, or are nobody's any more. */
export interface Delivery {
  readonly messages: MainLog
  readonly transactions: Transactions
  readonly pops: Pops
  /** Null with timerWheelEnable=false. */
  readonly timers: Timers | null
  /** The stored bytes of the message that begins there; null when there is none (any more). */
  messageAt(position: number): Promise<Buffer | null>
  /** Where a group's messages come back from. Throws ResponseError. */
  retryTopic(group: SubscriptionGroupConfig): Promise<TopicConfig>
  /** Where those go that were tried too often. Throws ResponseError. */
  deadLetterTopic(group: string): Promise<TopicConfig>
  /** Another thread woke main. */
  onWake(): void
  close(): Promise<void>
  /** After `close`, when the log is on the disk to its end. */
  seal(): Promise<void>
}

export interface DeliveryParts {
  store: BrokerStore
  context: BrokerContext
  /** IP (4 or 16 bytes) and a 4-byte port. */
  storeHost: Uint8Array
  queries: MessageQueries
  /** Main's own. */
  counters: WorkerCounters
  disk: Disk
}

/** Reads how far delayed messages were delivered, and goes on there. Throws ConfigFileError. */
export async function openDelivery(parts: DeliveryParts): Promise<Delivery> {
  const { store, context, queries, storeHost, counters } = parts
  const messageAt = (position: number) => queries.at(position)
  const { topics, clock, log } = context
  const messages = mainLog(parts)
  const path = join(context.config.storePathRootDir, 'config', 'delayOffset.json')
  const offsets = new DelayOffsets({ file: new ConfigFile(path, log), clock, log })
  await offsets.load()
  const delays = new DelayService({
    queueOf: (topic, queueId) => waitingQueue(store, topic, queueId),
    hasQueue: (topic, queueId) =>
      topics.get(topic) !== undefined && store.rows.row(topic, queueId) !== undefined,
    messageAt,
    messages,
    offsets,
    delaysMs: delaysIn(context.config.messageDelayLevel),
    queueCount: topics.get(SCHEDULE_TOPIC)!.writeQueueNums,
    clock,
    log,
  })
  const timers = context.config.timerWheelEnable ? await openTimers(parts, messages) : null
  const { transactions, checks } = openTransactions(parts, messages)
  const pops = await openPops({ store, context, messages, storeHost, counters })
  return {
    messages,
    transactions,
    pops,
    timers,
    messageAt,
    retryTopic: (group) => retryTopicOf(context, group),
    deadLetterTopic: (group) => deadLetterTopicOf(context, group),
    onWake: () => {
      messages.onWake()
      delays.onWake()
      timers?.onWake()
      if (transactions.onWake()) checks.begin()
      pops.onWake()
    },
    close: async () => {
      checks.close()
      const timed = timers?.close() ?? Promise.resolve()
      await Promise.all([delays.close(), timed, transactions.close(), pops.close()])
      messages.close()
      await offsets.close()
    },
    seal: async () => timers?.seal(),
  }
}

async function openTimers(
  { store, context, queries, disk }: DeliveryParts,
  messages: MainLog,
): Promise<Timers> {
  const { config: settings, topics, clock, log } = context
  const { shared, rows, lastStop } = store
  const hasTopic = (topic: string) => topics.get(topic) !== undefined
  return Timers.open({
    queue: waitingQueue(store, TIMER_TOPIC, 0),
    messageAt: (position) => queries.at(position),
    messagesAt: (places) => queries.lot(places),
    hasQueue: (topic, queueId) => hasTopic(topic) && rows.row(topic, queueId) !== undefined,
    hasTopic,
    messages,
    ends: {
      appended: () => shared.appended.value(),
      flushed: () => shared.flushed.value(),
      min: () => shared.minPosition.value(),
    },
    isSameBoot: lastStop !== StopKind.UNKNOWN,
    metricsFile: new ConfigFile(join(settings.storePathRootDir, 'config', 'timermetrics'), log),
    settings,
    disk,
    clock,
    log,
  })
}

function openTransactions(
  { store, context, storeHost, queries }: DeliveryParts,
  messages: MainLog,
): { transactions: Transactions; checks: TransactionChecks } {
  const { config, offsets, clients, topics, clock, log } = context
  const transactions = new Transactions({
    halves: waitingQueue(store, HALF_TOPIC, 0),
    ops: waitingQueue(store, HALF_OP_TOPIC, 0),
    host: storeHost,
    messageOf: async (place) => {
      const [item = null] = await queries.lot([place])
      if (item instanceof Error) throw item
      return item
    },
    hurry: () => store.shared.signalOf(Thread.DISPATCH).rouse(),
    isCommitted: committedBefore(store.shared, queries, config.messageIndexEnable),
    messages,
    delayRules: config,
    offsets,
    clock,
    log,
  })
  const checks = new TransactionChecks({
    transactions,
    producers: (group) => clients.producers(group).map(({ peer }) => peer),
    keepAside: async (half) => {
      const { topicName: topic } = await topics.ensure(
        topicConfig(CHECK_MAX_TIME_TOPIC, 1, Permission.READ_WRITE),
      )
      return messages.append(draftOf(half, { topic, queueId: 0 }, half.text))
    },
    brokerName: config.brokerName,
    settings: {
      timeOutMs: config.transactionTimeOut,
      intervalMs: config.transactionCheckInterval,
      max: config.transactionCheckMax,
    },
    clock,
    log,
  })
  return { transactions, checks }
}

function mainLog({ store, context, storeHost }: DeliveryParts): MainLog {
  const { config, topics, log } = context
  const { shared, rows, writer, places } = store
  const options = { fileSize: places.logFileSize, clock: systemClock }
  return new MainLog({
    shared,
    rows,
    writer,
    storeHost,
    appender: new LogAppender(shared, new LogWindow(shared), options),
    light: hasLightQueues(config) ? new MainLight({ topics: topics.light, rows, log }) : null,
    appendMax: appendMax(config),
    isSyncFlush: config.flushDiskType === 'SYNC_FLUSH',
    disk: config,
    timeoutMs: config.syncFlushTimeout,
  })
}

function waitingQueue(store: BrokerStore, topic: string, queueId: number): WaitingQueue {
  const row = store.rows.row(topic, queueId)!
  const { rows } = store.shared
  const units = new UnitBlock((offset, count, target) =>
    store.unitReader(topic, queueId, row).queue.read(offset, count, target),
  )
  return {
    min: () => rows.min(row),
    max: () => rows.max(row),
    next: () => rows.next(row),
    unitAt: (offset) => units.at(offset, rows.max(row)),
    watch: () => rows.setWaiter(row, MAIN_WAITER),
  }
}

async function retryTopicOf(
  { topics }: BrokerContext,
  { groupName, retryQueueNums, consumeMessageOrderly }: SubscriptionGroupConfig,
): Promise<TopicConfig> {
  const topic = await topics.ensureRetryTopic({
    group: groupName,
    queueCount: retryQueueNums,
    order: consumeMessageOrderly,
    topicSysFlag: 0,
  })
  return writable(topic, groupName)
}

async function deadLetterTopicOf({ topics }: BrokerContext, group: string): Promise<TopicConfig> {
  const name = deadLetterTopic(group)
  if (name.length > RETRY_TOPIC_LENGTH_MAX) return writable(null, group)
  return writable(await topics.ensure(topicConfig(name, 1, Permission.READ_WRITE)), group)
}

function writable(topic: TopicConfig | null, group: string): TopicConfig {
  if (topic === null) {
    const why = `group ${shown(group)} is too long for a topic of its own`
    throw new ResponseError('SYSTEM_ERROR', why)
  }
  if ((topic.perm & Permission.WRITE) !== 0) return topic
  const why = `the topic[${topic.topicName}] sending message is forbidden`
  throw new ResponseError('NO_PERMISSION', why)
}
