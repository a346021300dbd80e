import { existsSync, readFileSync } from 'node:fs'

import { withProperties } from '../config/edit-properties.ts'
import { namesrvDeclaration, type NamesrvConfig } from '../config/namesrv.ts'
import { parseProperties } from '../config/properties.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { replaceFile } from './durable-file.ts'

type Key = keyof NamesrvConfig

/**
 * What may be changed by request. Never a path, an address or a port: whoever can reach the port
 * could make us write anywhere (CVE-2023-37582).
 */
const CHANGEABLE: ReadonlySet<string> = new Set<Key>([
  'orderMessageEnable',
  'returnOrderTopicConfigToBroker',
  'supportActingMaster',
  'deleteTopicWithBrokerRegistration',
  'needWaitForService',
  'waitSecondsForService',
  'scanNotActiveBrokerInterval',
  'enableTopicList',
  'enableAllTopicList',
])

/** The settings in force. What is changed at run time is kept in the file at `configStorePath`. */
export class LiveConfig {
  #current: NamesrvConfig

  constructor(config: NamesrvConfig) {
    this.#current = config
  }

  get current(): NamesrvConfig {
    return this.#current
  }

  /** Every setting as a line `key=value`, as UPDATE_NAMESRV_CONFIG reads it. */
  text(): string {
    const lines = Object.entries(this.#current).map(([key, value]) => `${key}=${value}\n`)
    return lines.toSorted().join('')
  }

  /**
   * Takes lines `key=value`, all or none. Keys that are no setting of ours change nothing, as with
   * Apache: they are returned. Throws ResponseError NO_PERMISSION on what may not be changed, and
   * SYSTEM_ERROR on a value that is not allowed.
   */
  update(lines: string): string[] {
    const changes = new Map<Key, string | number | boolean>()
    const ignored: string[] = []
    for (const { key, value } of parseProperties(lines)) {
      if (isSetting(key)) changes.set(key, readChange(key, value))
      else ignored.push(key)
    }
    if (changes.size > 0) {
      this.#save(changes)
      this.#current = Object.freeze({ ...this.#current, ...Object.fromEntries(changes) })
    }
    return ignored
  }

  #save(changes: ReadonlyMap<string, unknown>): void {
    const file = this.#current.configStorePath
    const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
    const texts = new Map([...changes].map(([key, value]) => [key, String(value)]))
    replaceFile(file, withProperties(before, texts))
  }
}

function isSetting(key: string): key is Key {
  return Object.hasOwn(namesrvDeclaration.settings, key) || isForbidden(key)
}

/** Apache's black list, whether we have the setting or not. */
function isForbidden(key: string): boolean {
  return ['configBlackList', 'configStorePath', 'kvConfigPath', 'rocketmqHome'].includes(key)
}

function readChange(key: Key, text: string): string | number | boolean {
  if (!CHANGEABLE.has(key)) {
    const allowed = [...CHANGEABLE].toSorted().join(', ')
    throw new ResponseError(
      'NO_PERMISSION',
      `${key} cannot be changed at run time, only ${allowed}`,
    )
  }
  const { parse, allowed } = namesrvDeclaration.settings[key]
  const value = parse(text.trim())
  if (value !== undefined) return value
  throw new ResponseError('SYSTEM_ERROR', `${key}=${text}: allowed is ${allowed}`)
}
