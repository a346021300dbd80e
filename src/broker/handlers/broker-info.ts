import type { Handlers } from '../../net/handlers.ts'
import { KvTable } from '../../protocol/bodies/kv-table.ts'
import { VERSION } from '../../protocol/remoting-command.ts'
import {
  GetBrokerConfig,
  GetBrokerRuntimeInfo,
  UpdateBrokerConfig,
} from '../../protocol/requests/broker.ts'
import { versionText } from '../../protocol/version-text.ts'
import type { BrokerContext } from '../broker-context.ts'
import { systemTopics } from '../system-topics.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** `storeInfo`: what the store can say of itself, by Apache's keys. */
export function registerBrokerInfoHandlers(
  handlers: Handlers,
  context: BrokerContext,
  storeInfo: () => Iterable<readonly [string, string]>,
): void {
  const { config, live } = context
  handlers
    .on(GetBrokerConfig, () => ({
      header: { version: JSON.stringify(live.version) },
      body: Buffer.from(configText(config)),
    }))
    .on(UpdateBrokerConfig, async (_, { request, peer }) => {
      const notKept = await update(
        context,
        Buffer.from(request.body ?? []).toString(),
        peer.address,
      )
      return notKept === null ? {} : { remark: notKept }
    })
    .on(GetBrokerRuntimeInfo, () => ({
      body: KvTable.encode({ table: new Map([...brokerInfo(context), ...storeInfo()]) }),
    }))
}

/** Returns why the change is not kept for the next start, or null. */
async function update(context: BrokerContext, lines: string, peer: string): Promise<string | null> {
  const { live, topics, config, log } = context
  const { changes, notKept } = live.update(lines)
  log.info({ peer, changes, notKept }, 'settings were changed by request')
  if (changes.autoCreateTopicEnable === true) {
    for (const topic of systemTopics(config)) await topics.ensure(topic) // the template is missing
  }
  if (changes.brokerPermission !== undefined) await topics.announceAnew()
  return notKept
}

/** `key=value` lines in the order of the keys, nothing escaped: as Apache's broker writes them. */
function configText(config: BrokerContext['config']): string {
  const lines = Object.entries(config).map(([key, value]) => `${key}=${value}\n`)
  return lines.toSorted().join('')
}

/** Keys by Apache 5.3.3, AdminBrokerProcessor. What we do not measure is left out rather than made up. */
function* brokerInfo({
  startedAt,
  clock,
  clients,
}: BrokerContext): Iterable<readonly [string, string]> {
  yield ['brokerActive', 'true']
  yield ['brokerVersion', String(VERSION)]
  yield ['brokerVersionDesc', versionText(VERSION)]
  yield ['bootTimestamp', String(startedAt)]
  yield ['runtime', uptime(clock.now() - startedAt)]
  yield ['startAcceptSendRequestTimeStamp', '0']
  const divided = clients.dividedGroups()
  if (divided.length > 0) yield ['differentSubscriptions', someOf(divided)]
}

/** `[ 0 days, 0 hours, 1 minutes, 2 seconds ]` */
function uptime(ms: number): string {
  const days = Math.floor(ms / DAY_MS)
  const hours = Math.floor((ms % DAY_MS) / HOUR_MS)
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS)
  const seconds = Math.floor((ms % MINUTE_MS) / SECOND_MS)
  return `[ ${days} days, ${hours} hours, ${minutes} minutes, ${seconds} seconds ]`
}

/** The first ten, and how many more there are. */
function someOf(names: readonly string[]): string {
  const more = names.length > 10 ? ` and ${names.length - 10} more` : ''
  return `${names.slice(0, 10).join(' ')}${more}`
}
