/** Settings of the message store. They stand in `broker.conf` beside those of the broker. */
import { homedir } from 'node:os'
import { join } from 'node:path'

import { ConfigError, type Mutable } from './load.ts'
import {
  bool,
  bytes,
  type ConfigOf,
  derived,
  int,
  milliseconds,
  oneOf,
  path,
  port,
} from './setting.ts'

export const storeSettings = {
  storePathRootDir: path({
    default: derived('~/store', () => join(homedir(), 'store')),
    important: true,
    doc: 'Folder of everything the broker keeps.',
  }),
  storePathCommitLog: path({
    default: derived('storePathRootDir/commitlog', ({ storePathRootDir }) =>
      join(String(storePathRootDir), 'commitlog'),
    ),
    important: true,
    doc: 'Folder of the commit log. Apache takes a list of folders here; RingMQ takes one.',
  }),
  mappedFileSizeCommitLog: bytes({
    default: 1024 ** 3,
    min: 4096,
    doc: 'Length of one commit log file. Must stay the same for the life of a store.',
  }),
  mappedFileSizeConsumeQueue: bytes({
    default: 300_000 * 20,
    min: 20,
    doc: 'Length of one consume queue file. Rounded up to a multiple of 20, the length of an entry.',
  }),
  flushDiskType: oneOf(
    'ASYNC_FLUSH',
    'SYNC_FLUSH',
  )({
    default: 'ASYNC_FLUSH',
    important: true,
    doc: 'SYNC_FLUSH answers a send, and shows its message, only after fdatasync. ASYNC_FLUSH answers when the bytes are in the file: they survive the death of the process, not a power failure.',
  }),
  syncFlushTimeout: milliseconds({
    default: 5000,
    doc: 'With SYNC_FLUSH: a send not on disk after this long is answered FLUSH_DISK_TIMEOUT.',
  }),
  flushIntervalCommitLog: milliseconds({
    default: 500,
    important: true,
    doc: 'With ASYNC_FLUSH: time between two looks whether the log has grown enough to be flushed.',
  }),
  flushCommitLogThoroughInterval: milliseconds({
    default: 10_000,
    doc: 'With ASYNC_FLUSH: time after which the log is flushed however little it has grown.',
  }),
  flushIntervalConsumeQueue: milliseconds({
    default: 1000,
    doc: 'Time between two flushes of the consume queues and the checkpoint.',
  }),
  checkCRCOnRecover: bool({
    default: true,
    doc: 'Compare the checksum of each message body while the log is recovered at start.',
  }),
  maxMessageSize: bytes({
    default: 4 * 1024 ** 2,
    doc: 'Largest message body taken. A longer one is answered MESSAGE_ILLEGAL.',
  }),
  autoMessageVersionOnTopicLen: bool({
    default: true,
    doc: 'Store topic names over 127 bytes in the second record format. If false they are refused.',
  }),
  maxTransferBytesOnMessageInMemory: bytes({
    default: 256 * 1024,
    important: true,
    doc: 'Bytes in one pull reply while the messages are recent ones.',
  }),
  maxTransferCountOnMessageInMemory: int({
    default: 32,
    min: 1,
    important: true,
    doc: 'Messages in one pull reply while they are recent ones.',
  }),
  maxTransferBytesOnMessageInDisk: bytes({
    default: 64 * 1024,
    important: true,
    doc: 'Bytes in one pull reply once the messages are old ones.',
  }),
  maxTransferCountOnMessageInDisk: int({
    default: 8,
    min: 1,
    important: true,
    doc: 'Messages in one pull reply once they are old ones.',
  }),
  accessMessageInMemoryMaxRatio: int({
    default: 40,
    min: 1,
    max: 100,
    unit: 'percent',
    important: true,
    doc: 'Share of the memory of the machine. Messages further from the end of the log are old ones.',
  }),
  brokerRole: oneOf(
    'ASYNC_MASTER',
    'SYNC_MASTER',
    'SLAVE',
  )({
    default: 'ASYNC_MASTER',
    important: true,
    doc: 'Only ASYNC_MASTER works in this version; the others are refused at start.',
  }),
  haListenPort: port({
    default: derived('listenPort + 1', ({ listenPort }) =>
      listenPort === 0 ? 0 : (Number(listenPort) + 1) % 65536,
    ),
    unset: 0,
    doc: 'Port for slaves, told to the name server. 0 is the same as leaving it out.',
  }),
  logWindowSize: bytes({
    default: 64 * 1024 ** 2,
    min: 64 * 1024,
    max: 1024 ** 3,
    own: true,
    doc: 'Newest part of the log that is kept in memory shared by all threads. A power of two, at least twice maxMessageSize.',
  }),
  maxQueues: int({
    default: 262_144,
    min: 1,
    max: 2 ** 24,
    own: true,
    doc: 'Queues of all topics together. Beyond it topics cannot be created.',
  }),
}

export type StoreConfig = ConfigOf<typeof storeSettings>

/** Rules over several settings. Throws ConfigError; rounds the consume queue file length up. */
export function checkStore(config: Mutable<StoreConfig>, warn: (warning: string) => void): void {
  const { brokerRole, logWindowSize, maxMessageSize } = config
  if (brokerRole !== 'ASYNC_MASTER') {
    const allowed = 'ASYNC_MASTER: this version of RingMQ does not replicate'
    throw new ConfigError({ key: 'brokerRole', value: brokerRole, allowed })
  }
  if (!isPowerOfTwo(logWindowSize) || logWindowSize < 2 * maxMessageSize) {
    const allowed = `a power of two, at least twice maxMessageSize=${maxMessageSize}`
    throw new ConfigError({ key: 'logWindowSize', value: String(logWindowSize), allowed })
  }
  roundUpQueueFile(config, warn)
}

function roundUpQueueFile(config: Mutable<StoreConfig>, warn: (warning: string) => void): void {
  const given = config.mappedFileSizeConsumeQueue
  if (given % 20 === 0) return
  config.mappedFileSizeConsumeQueue = Math.ceil(given / 20) * 20
  warn(`mappedFileSizeConsumeQueue=${given} is rounded up to ${config.mappedFileSizeConsumeQueue}`)
}

function isPowerOfTwo(value: number): boolean {
  return (value & (value - 1)) === 0
}
