import { join } from 'node:path'
import { type Clock, monotonicClock } from '../base/clock.ts'
import type { BrokerConfig } from '../config/broker.ts'
import type { Log } from '../log/log.ts'
import { isLightQueue } from '../protocol/light-queues.ts'
import { ClientCalls, QUESTION_LIMITS, REPLY_LIMITS } from './client-calls.ts'
import { Clients } from './clients.ts'
import { ConfigFile } from './config-json.ts'
import { ConsumerOffsets } from './consumer-offsets.ts'
import { dividedLog } from './divided-log.ts'
import { SubscriptionGroups } from './groups.ts'
import { LightTopics } from './light-topics.ts'
import type { LiveConfig } from './live-config.ts'
import type { Metadata } from './metadata.ts'
import { MetadataFiles } from './metadata-files.ts'
import { OffsetResets } from './offset-resets.ts'
import { RequestModes } from './pop/request-modes.ts'
import { QueueLocks } from './queue-locks.ts'
import type { QueueStore } from './queue-store.ts'
import { Topics } from './topics.ts'

/** What the broker thread is made of; handlers get it whole. */
export interface BrokerContext {
  /** The settings in force: read them when they are needed. */
  readonly config: BrokerConfig
  readonly live: LiveConfig
  /** `ip:port` as clients are told. */
  readonly address: string
  readonly topics: Topics
  readonly groups: SubscriptionGroups
  readonly offsets: ConsumerOffsets
  readonly resets: OffsetResets
  readonly clients: Clients
  readonly calls: ClientCalls
  /** Answers to messages, on their way to who waits for them. */
  readonly pushes: ClientCalls
  readonly locks: QueueLocks
  readonly modes: RequestModes
  readonly store: QueueStore
  readonly metadata: Metadata
  readonly clock: Clock
  readonly log: Log
  /** When the broker started, in ms. */
  readonly startedAt: number
}

export interface OpenBrokerContext extends BrokerContext {
  /** Writes what is not on disk yet and stops all timers. No request may come after it. */
  close(): Promise<void>
}

export type BrokerContextParts = Pick<
  BrokerContext,
  'address' | 'live' | 'store' | 'metadata' | 'clock' | 'log'
>

/**
 * Reads `<storePathRootDir>/config`, and publishes all topics and groups to store and workers.
 * Throws ConfigFileError or JsonError when a file there cannot be read.
 */
export async function openBrokerContext(parts: BrokerContextParts): Promise<OpenBrokerContext> {
  const { live, store, metadata, clock, log } = parts
  const config = live.current
  const folder = join(config.storePathRootDir, 'config')
  const files = await MetadataFiles.open(folder, log)
  const light = new LightTopics({ store, metadata, settings: config })
  const topics = new Topics({ files, store, metadata, light, identity: config, clock })
  const isAutoCreated = (group: string) =>
    config.autoCreateSubscriptionGroup || (config.enableLmq && isLightQueue(group))
  const groups = new SubscriptionGroups({ files, metadata, clock, log, isAutoCreated })
  const offsetFile = (name: string) => new ConfigFile(join(folder, name), log)
  const plainFile = offsetFile('consumerOffset.json')
  const offsets = new ConsumerOffsets({
    file: config.enableLmq ? offsetFile('lmqConsumerOffset.json') : plainFile,
    before: config.enableLmq ? plainFile : null,
    flushIntervalMs: config.flushConsumerOffsetInterval,
    clock,
    log,
  })
  const modes = new RequestModes({
    file: new ConfigFile(join(folder, 'messageRequestMode.json'), log),
    log,
  })
  const clients = new Clients({
    metadata,
    clock,
    expiryMs: config.channelExpiredTimeout,
    isNotified: (group) =>
      config.notifyConsumerIdsChangedEnable &&
      groups.get(group)?.notifyConsumerIdsChangedEnable !== false,
    onDivided: dividedLog(log, clock),
  })
  try {
    await topics.load()
    await groups.load()
    await offsets.load()
    await modes.load()
  } catch (error) {
    await files.abandon()
    throw error
  }
  const calls = new ClientCalls(monotonicClock, QUESTION_LIMITS)
  const pushes = new ClientCalls(monotonicClock, REPLY_LIMITS)
  const close = async (): Promise<void> => {
    calls.close()
    pushes.close()
    clients.close()
    await offsets.close()
    await files.close()
  }
  const locks = new QueueLocks(clock)
  const resets = new OffsetResets(metadata)
  const startedAt = clock.now()
  return {
    ...parts,
    config,
    topics,
    groups,
    offsets,
    resets,
    clients,
    calls,
    pushes,
    locks,
    modes,
    startedAt,
    close,
  }
}
