import { readFileSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import { brokerDeclaration, type BrokerConfig } from '../config/broker.ts'
import { withProperties } from '../config/edit-properties.ts'
import { ConfigError, type Mutable } from '../config/load.ts'
import { nearestName } from '../config/nearest-name.ts'
import { parseProperties } from '../config/properties.ts'
import type { Log } from '../log/log.ts'
import type { DataVersion } from '../protocol/bodies/data-version.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { replaceFile } from '../store/replace-file.ts'
import { firstVersion, nextVersion } from './data-version.ts'

type Key = keyof BrokerConfig

/**
 * What may be changed by request: what takes effect at once, and nothing that says where files lie,
 * where to listen or whom to talk to. Whoever can reach the port could else make us write anywhere
 * (Apache: CVE-2023-33246 and CVE-2023-37582).
 */
const CHANGEABLE: ReadonlySet<string> = new Set<Key>([
  'brokerPermission',
  'autoCreateTopicEnable',
  'autoCreateSubscriptionGroup',
  'notifyConsumerIdsChangedEnable',
  'storeReplyMessageEnable',
  'strictSubscription',
  'longPollingEnable',
  'shortPollingTimeMills',
  'litePullMessageEnable',
  'maxTransferBytesOnMessageInMemory',
  'maxTransferCountOnMessageInMemory',
  'maxTransferBytesOnMessageInDisk',
  'maxTransferCountOnMessageInDisk',
  'popFromRetryProbability',
  'popResponseReturnActualRetryTopic',
  'enablePopMessageThreshold',
  'popInflightMessageThreshold',
  'popPollingSize',
  'popPollingMapSize',
  'maxPopPollingSize',
  'serverLoadBalancerEnable',
  'maxMsgsNumBatch',
  'defaultQueryMaxNum',
  'forceRegister',
  'compressedRegister',
  'registerBrokerTimeoutMills',
  'fileReservedTime',
  'deleteWhen',
  'diskMaxUsedSpaceRatio',
  'diskSpaceCleanForciblyRatio',
  'diskSpaceWarningLevelRatio',
  'cleanFileForciblyEnable',
  'cleanResourceInterval',
  'deleteFileBatchMax',
  'deleteCommitLogFilesInterval',
  'deleteConsumeQueueFilesInterval',
  'destroyMapedFileIntervalForcibly',
  'redeleteHangedFileInterval',
  'maxStoreBytes',
  'timerMaxDelaySec',
  'recallMessageEnable',
  'allowRecallWhenBrokerNotWriteable',
])

export type ConfigChanges = Partial<BrokerConfig>

export interface LiveConfigParts {
  clock: Clock
  disk: Disk
  log: Log
  /** What the broker was started with (-c): changes are written there. */
  file?: string
  /** Has all threads take the changes over. */
  onChange?: (changes: ConfigChanges) => void
}

/** The settings in force. */
export class LiveConfig {
  /** One object for ever; its members change. */
  readonly current: BrokerConfig
  readonly #own: Mutable<BrokerConfig>
  readonly #parts: LiveConfigParts
  #version: DataVersion

  constructor(config: BrokerConfig, parts: LiveConfigParts) {
    this.#own = { ...config }
    this.current = this.#own
    this.#parts = parts
    this.#version = firstVersion(parts.clock.now())
  }

  get version(): DataVersion {
    return this.#version
  }

  /**
   * Takes lines `key=value`, all or none. A setting that has the value already is left alone,
   * whichever it is. Returns what changed, and null or why that is not kept for the next start.
   * Throws ResponseError NO_PERMISSION on what may not be changed, SYSTEM_ERROR on an unknown key
   * and on a value that is not allowed.
   */
  update(lines: string): { changes: ConfigChanges; notKept: string | null } {
    const changes = this.#read(lines)
    if (Object.keys(changes).length === 0) return { changes, notKept: null }
    this.#check(changes)
    Object.assign(this.#own, changes)
    this.#version = nextVersion(this.#version, this.#parts.clock.now())
    this.#parts.onChange?.(changes)
    return { changes, notKept: this.#keep(changes) }
  }

  #read(lines: string): ConfigChanges {
    const changes: Record<string, unknown> = {}
    for (const { key, value } of parseProperties(lines)) {
      const parsed = readValue(key, value.trim())
      if (this.current[key as Key] === parsed) continue
      if (!CHANGEABLE.has(key)) throw forbidden(key, value)
      changes[key] = parsed
    }
    return changes
  }

  /** Rules over several settings. */
  #check(changes: ConfigChanges): void {
    try {
      brokerDeclaration.check({ ...this.#own, ...changes }, () => undefined)
    } catch (error) {
      if (error instanceof ConfigError) throw new ResponseError('SYSTEM_ERROR', error.message)
      throw error
    }
  }

  /** A file that cannot be written, as in many containers, does not stop a change. */
  #keep(changes: ConfigChanges): string | null {
    const { file, disk, log } = this.#parts
    if (file === undefined) return 'until the restart: the broker was started without -c'
    try {
      const texts = new Map(Object.entries(changes).map(([key, value]) => [key, String(value)]))
      const content = withProperties(readFileSync(file, 'utf8'), texts)
      replaceFile(disk, file, Buffer.from(content))
      return null
    } catch (error) {
      const why = `until the restart: ${file} cannot be written (${(error as Error).message})`
      log.warn({ file, error: String(error) }, 'changed settings are not kept')
      return why
    }
  }
}

/** Throws ResponseError SYSTEM_ERROR that says what is wrong. */
function readValue(key: string, text: string): unknown {
  if (!Object.hasOwn(brokerDeclaration.settings, key)) throw unknownKey(key)
  const { parse, allowed } = brokerDeclaration.settings[key as Key]
  const value = parse(text)
  if (value !== undefined) return value
  throw new ResponseError('SYSTEM_ERROR', `${key}=${text}: allowed is ${allowed}`)
}

function unknownKey(key: string): ResponseError {
  const apache = brokerDeclaration.apacheKeys()
  if (apache.has(key)) {
    return new ResponseError('SYSTEM_ERROR', `${key} is a setting of Apache's that RingMQ lacks`)
  }
  const nearest = nearestName(key, Object.keys(brokerDeclaration.settings))
  const hint = nearest === null ? '' : `, did you mean ${nearest}?`
  return new ResponseError('SYSTEM_ERROR', `there is no setting ${key}${hint}`)
}

function forbidden(key: string, value: string): ResponseError {
  const allowed = [...CHANGEABLE].toSorted().join(', ')
  const why = `${key}=${value}: ${key} cannot be changed at run time, only ${allowed}`
  return new ResponseError('NO_PERMISSION', why)
}
