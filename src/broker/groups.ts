import type { Clock } from '../base/clock.ts'
import type { DataVersion } from '../protocol/bodies/data-version.ts'
import { SubscriptionGroupConfig } from '../protocol/bodies/subscription-group.ts'
import { int, textMap } from '../protocol/json-shape.ts'
import type { Log } from '../log/log.ts'
import type { Metadata } from './metadata.ts'
import type { MetadataFiles } from './metadata-files.ts'
import { MetadataTable } from './metadata-table.ts'
import { groupNameFault, isSystemGroup, shown } from './topic-names.ts'

/** Group to topic to bits of what is forbidden. */
const forbidden = textMap(textMap(int))

/** Groups that come into being by heartbeats and pulls, in all. Admins may create more. */
const AUTO_CREATED_MAX = 100_000

/** Groups of every broker. Source: Apache 5.3.3, golden subscriptionGroup.json. */
const SYSTEM_GROUPS = [
  'TOOLS_CONSUMER',
  'FILTERSRV_CONSUMER',
  'SELF_TEST_C_GROUP',
  'CID_ONS-HTTP-PROXY',
  'CID_ONSAPI_PULL',
  'CID_ONSAPI_PERMISSION',
  'CID_ONSAPI_OWNER',
  'CID_RMQ_SYS_TRANS',
]

export interface GroupsParts {
  files: MetadataFiles
  metadata: Metadata
  clock: Clock
  log: Log
  /** `autoCreateSubscriptionGroup` */
  isAutoCreated: (group: string) => boolean
}

/** A group with Apache's defaults. */
export function groupConfig(groupName: string): SubscriptionGroupConfig {
  return SubscriptionGroupConfig.read(new Map([['groupName', groupName]]))
}

/**
 * The consumer groups of this broker. A change is durable and known to every worker before its promise
 * resolves. It rejects with JournalError when the disk refused it.
 */
export class SubscriptionGroups {
  readonly #table: MetadataTable<SubscriptionGroupConfig>
  readonly #parts: GroupsParts
  /** It was deleted. */
  onRemoved: (group: string) => void = () => {}

  constructor(parts: GroupsParts) {
    const { files, clock } = parts
    const file = { name: 'subscriptionGroup', member: 'subscriptionGroupTable' }
    this.#table = new MetadataTable({ ...file, body: SubscriptionGroupConfig, files, clock })
    this.#parts = parts
  }

  get dataVersion(): DataVersion {
    return this.#table.version
  }

  /** By name, live. */
  get all(): ReadonlyMap<string, SubscriptionGroupConfig> {
    return this.#table.all
  }

  get(name: string): SubscriptionGroupConfig | undefined {
    return this.#table.get(name)
  }

  /** Reads the last run's groups, adds the system groups that are missing, and publishes them all. */
  async load(): Promise<void> {
    const json = await this.#table.load()
    // We forbid no topic to a group, but what Apache's broker was told must be there when it returns.
    const table = forbidden.read(json?.get('forbiddenTable') ?? new Map(), 'forbiddenTable')
    this.#table.keepMember('forbiddenTable', forbidden.write(table))
    for (const name of SYSTEM_GROUPS) this.#table.addMissing(name, groupConfig(name))
    for (const group of this.all.values()) this.#parts.metadata.publishGroup(group)
  }

  /** Creates the group or replaces its settings. What is the same already is no change. */
  put(group: SubscriptionGroupConfig): Promise<void> {
    return this.#table.inOrder(group.groupName, () => this.#put(group))
  }

  /** False when there was none. Its offsets and its retry topic are the caller's to keep or drop. */
  delete(name: string): Promise<boolean> {
    return this.#table.inOrder(name, async () => {
      if (this.get(name) === undefined) return false
      const { metadata } = this.#parts
      await this.#commit(this.#table.delete(name), () => metadata.removeGroup(name))
      this.onRemoved(name)
      return true
    })
  }

  /** The group, made on its first use when that is allowed; null when there is none and may be none. */
  async findOrCreate(name: string): Promise<SubscriptionGroupConfig | null> {
    const known = this.#table.settled(name)
    if (known !== undefined) return known
    if (!this.#mayCreate(name)) return null
    return this.#table.inOrder(name, async () => {
      const group = this.get(name) ?? groupConfig(name)
      await this.#put(group)
      return group
    })
  }

  #mayCreate(name: string): boolean {
    if (!this.#parts.isAutoCreated(name) && !isSystemGroup(name)) return false
    if (groupNameFault(name) !== null) return false
    if (this.#table.size < AUTO_CREATED_MAX) return true
    const fields = { group: shown(name), groups: this.#table.size }
    this.#parts.log.warn(fields, 'group is not created: there are too many already')
    return false
  }

  async #put(group: SubscriptionGroupConfig): Promise<void> {
    const known = this.get(group.groupName)
    if (known !== undefined && textOf(known) === textOf(group)) return
    const { metadata } = this.#parts
    await this.#commit(this.#table.set(group.groupName, group), () => metadata.publishGroup(group))
  }

  /** Publishes even what could not be saved: memory, workers and the answer must not disagree for long. */
  async #commit(saved: Promise<void>, publish: () => void): Promise<void> {
    try {
      await saved
    } finally {
      publish()
    }
    await this.#parts.metadata.applied()
  }
}

function textOf(group: SubscriptionGroupConfig): string {
  return SubscriptionGroupConfig.write(group)
}
