/** Settings of the message store. They stand in `broker.conf` beside those of the broker. */
import { homedir } from 'node:os'
import { join } from 'node:path'

import { ConfigError, type Mutable } from './load.ts'
import {
  bool,
  bytes,
  type ConfigOf,
  derived,
  hoursOfDay,
  int,
  milliseconds,
  oneOf,
  path,
  percent,
  port,
  size,
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
  flushCommitLogLeastPages: int({
    default: 4,
    min: 0,
    doc: 'With ASYNC_FLUSH: pages of 4 KiB that the log must have grown by to be flushed at such a look. 0 flushes whatever there is.',
  }),
  flushCommitLogThoroughInterval: milliseconds({
    default: 10_000,
    doc: 'With ASYNC_FLUSH: time after which the log is flushed however little it has grown.',
  }),
  fileReservedTime: int({
    default: 72,
    min: 0,
    unit: 'hours',
    important: true,
    doc: 'Age of its newest message at which a log file may be deleted.',
  }),
  deleteWhen: hoursOfDay({
    default: '04',
    important: true,
    doc: 'Hours of the day (local time) in which files past fileReservedTime are deleted. Beyond diskMaxUsedSpaceRatio the hour does not matter.',
  }),
  diskMaxUsedSpaceRatio: percent({
    default: 75,
    doc: 'Share of the disk in use beyond which files past fileReservedTime are deleted at any hour.',
  }),
  diskSpaceCleanForciblyRatio: percent({
    default: 85,
    doc: 'Share of the disk in use beyond which the oldest log files are deleted however young they are, one at a time, until it is not exceeded any more. Needs cleanFileForciblyEnable.',
  }),
  diskSpaceWarningLevelRatio: percent({
    default: 90,
    doc: 'Share of the disk in use beyond which sends are refused. 100 refuses none for that reason. Whatever else lies on the disk counts, too.',
  }),
  cleanFileForciblyEnable: bool({
    default: true,
    important: true,
    doc: 'Whether log files may be deleted before their time when the disk is nearly full. If false, sends are refused in the end.',
  }),
  cleanResourceInterval: milliseconds({
    default: 10_000,
    min: 1000,
    doc: 'Time between two looks at the disk and at the age of files.',
  }),
  deleteFileBatchMax: int({
    default: 10,
    min: 1,
    important: true,
    doc: 'Most log files that are deleted at one such look.',
  }),
  deleteCommitLogFilesInterval: milliseconds({
    default: 100,
    doc: 'Pause between two log files that are deleted.',
  }),
  deleteConsumeQueueFilesInterval: milliseconds({
    default: 100,
    doc: 'Pause between two consume queue files or index files that are deleted.',
  }),
  destroyMapedFileIntervalForcibly: milliseconds({
    default: 120_000,
    doc: 'How long the deletion of a file waits for threads that have it open.',
  }),
  redeleteHangedFileInterval: milliseconds({
    default: 120_000,
    doc: 'When a file could not be deleted: time until that is tried again.',
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
  messageIndexEnable: bool({
    default: true,
    doc: 'Keep an index of messages by key, for queries. If false, none is added to it; what is there still answers.',
  }),
  maxHashSlotNum: int({
    default: 5_000_000,
    min: 1,
    max: 500_000_000,
    doc: 'Slots of an index file. With another number than a store was written with its index is made anew.',
  }),
  maxIndexNum: int({
    default: 20_000_000,
    min: 2,
    max: 1_000_000_000,
    doc: 'Keys that an index file has room for, plus one. With another number than a store was written with its index is made anew.',
  }),
  messageIndexSafe: bool({
    default: false,
    doc: 'Read the log from further back after a crash so that the index misses nothing. RingMQ always sees to that, and reads it while the broker runs already.',
  }),
  maxMsgsNumBatch: int({
    default: 64,
    min: 1,
    doc: 'Most messages that one query by key returns.',
  }),
  defaultQueryMaxNum: int({
    default: 32,
    min: 1,
    doc: 'Most messages that one query by unique key returns; maxMsgsNumBatch holds, too.',
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
  maxStoreBytes: size({
    default: 0,
    own: true,
    doc: 'Most bytes that the files of the commit log may take together; the oldest are deleted before there are more, however young they are. 0 sets no limit. Consume queues and index files come on top.',
  }),
  manifestEnable: bool({
    default: true,
    own: true,
    doc: 'Whether every full log file gets a manifest with its checksum, by which ringmq fsck knows later whether a byte of it changed.',
  }),
  enableLmq: bool({
    default: false,
    doc: 'Topics that begin with %LMQ% are light queues: one queue each, known to nobody but this broker. Consumer offsets are then kept in lmqConsumerOffset.json.',
  }),
  enableMultiDispatch: bool({
    default: false,
    doc: 'With enableLmq: a message also stands in the light queues that its property INNER_MULTI_DISPATCH names.',
  }),
  maxLmqConsumeQueueNum: int({
    default: 20_000,
    min: 1,
    doc: 'Light queues. Beyond it no other comes into being. Apache 5.3.3 does not look at it.',
  }),
  maxQueues: int({
    default: 262_144,
    min: 1,
    max: 2 ** 24,
    own: true,
    doc: 'Queues of all topics together. Beyond it topics cannot be created.',
  }),
}

/** Whether messages stand in the light queues that they name. */
export function hasLightQueues(config: {
  enableLmq: boolean
  enableMultiDispatch: boolean
}): boolean {
  return config.enableLmq && config.enableMultiDispatch
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
  checkStoreBytes(config)
  roundUpQueueFile(config, warn)
}

/** The file that is being written and the one that is ready behind it must have room. */
function checkStoreBytes({ maxStoreBytes, mappedFileSizeCommitLog }: StoreConfig): void {
  const least = 2 * mappedFileSizeCommitLog
  if (maxStoreBytes === 0 || maxStoreBytes >= least) return
  const allowed = `0, or at least ${least}: twice mappedFileSizeCommitLog`
  throw new ConfigError({ key: 'maxStoreBytes', value: String(maxStoreBytes), allowed })
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
