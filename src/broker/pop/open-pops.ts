import { join } from 'node:path'
import { fewProblems } from '../../log/few-problems.ts'
import type { BrokerContext } from '../broker-context.ts'
import type { BrokerStore } from '../broker-store.ts'
import { ConfigFile } from '../config-json.ts'
import type { MainLog } from '../main-log.ts'
import { reviveTopic } from '../system-topics.ts'
import type { WorkerCounters } from '../worker-counters.ts'
import { CheckPoints } from './check-points.ts'
import { HeldPops } from './held-pops.ts'
import { PopOrders } from './pop-orders.ts'
import { PopQueues } from './pop-queues.ts'
import { PopTaker } from './pop-taker.ts'
import { Pops } from './pops.ts'
import { Revival } from './revival.ts'
import { ReviveLog } from './revive-log.ts'
import { StoreReads } from './store-reads.ts'

export interface OpenPopsParts {
  store: BrokerStore
  context: BrokerContext
  messages: MainLog
  /** IP (4 or 16 bytes) and a 4-byte port. */
  storeHost: Uint8Array
  counters: WorkerCounters
}

/** POP consumption over a store that is open. Throws ConfigFileError. */
export async function openPops({
  store,
  context,
  messages,
  storeHost: host,
  counters,
}: OpenPopsParts): Promise<Pops> {
  const { config, offsets, resets, topics, groups, clock, log } = context
  const topic = reviveTopic(config.brokerClusterName)
  const path = join(config.storePathRootDir, 'config', 'consumerOrderInfo.json')
  const orders = new PopOrders({ file: new ConfigFile(path, log), clock, log })
  await orders.load()
  const reads = new StoreReads(store)
  const queues = new PopQueues(offsets)
  const checkPoints = new CheckPoints({
    log: new ReviveLog({ topic, appends: messages, host, clock }),
    store: reads,
    queues,
    offsets,
    reviveTopic: topic,
    reviveQueueCount: topics.get(topic)!.readQueueNums,
    brokerName: config.brokerName,
    openMax: () => config.popCkMaxBufferSize,
    clock,
    logger: log,
  })
  const held = new HeldPops({
    store: reads,
    queuesOf: (name) => topics.get(name)?.readQueueNums ?? 0,
    limits: config,
    clock,
    onHolding: (isHolding) => store.shared.setHolding(isHolding),
  })
  const taker = new PopTaker({
    settings: config,
    store: reads,
    queueStore: context.store,
    topics,
    queues,
    orders,
    checkPoints,
    onGiven: (queue, count, bytes) =>
      counters.addFound(counters.pair(queue.group, queue.topic), count, bytes),
    onMoved: (queue) => void resets.take(queue.group, queue.topic, queue.queueId),
    clock,
    random: () => Math.floor(Math.random() * 100),
  })
  const report = (problem: string, error: unknown) => log.error({ error: String(error) }, problem)
  const revival = new Revival({
    checkPoints,
    store: reads,
    topics,
    groups,
    offsets,
    appends: messages,
    host,
    isRetryV2: () => config.enableRetryTopicV2,
    onRetryTopic: (name, group) => held.wake(name, group),
    report: fewProblems(report, () => clock.now()),
  })
  resets.onMoved = (group, moved) => held.wake(moved, group)
  const isThresholdOn = () => config.enablePopMessageThreshold
  const parts = { store: reads, queues, orders, checkPoints, taker, revival, held }
  const pops = new Pops({ ...parts, isThresholdOn, wakeAfter, clock, log })
  topics.onRemoved = (name) => pops.forget({ topic: name })
  groups.onRemoved = (name) => pops.forget({ group: name })
  return pops
}

function wakeAfter(ms: number, wake: () => void): () => void {
  const timer = setTimeout(wake, ms)
  return () => clearTimeout(timer)
}
