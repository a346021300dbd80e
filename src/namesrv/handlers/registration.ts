import type { Call, Handlers, Reply } from '../../net/handlers.ts'
import { DataVersion } from '../../protocol/bodies/data-version.ts'
import { KvTable } from '../../protocol/bodies/kv-table.ts'
import { TopicRouteData } from '../../protocol/bodies/topic-route.ts'
import { bodyCrc } from '../../protocol/body-crc.ts'
import type { HeaderOf, ReplyOf } from '../../protocol/request.ts'
import {
  BrokerHeartbeat,
  QueryDataVersion,
  RegisterBroker,
  RegisterTopicInNamesrv,
  UnregisterBroker,
} from '../../protocol/requests/registration.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import { ORDER_TOPIC_CONFIG } from '../kv-config.ts'
import type { Parts } from '../parts.ts'
import { readRegistration } from '../registration-body.ts'

/** What brokers say of themselves. */
export function serveRegistration(handlers: Handlers, parts: Parts): void {
  const { table } = parts
  handlers
    .on(RegisterBroker, (header, call) => registerBroker(parts, header, call))
    .on(UnregisterBroker, (header) => {
      table.unregister(header)
      parts.log.info({ ...header }, 'a broker has left')
    })
    .on(QueryDataVersion, (header, { request }) => {
      const known = table.brokers.live(header)?.dataVersion
      table.touch(header)
      const asked = request.body && DataVersion.decode(request.body)
      const changed = !known || !asked || DataVersion.write(known) !== DataVersion.write(asked)
      return { header: { changed }, body: known && DataVersion.encode(known) }
    })
    .on(BrokerHeartbeat, (header) => table.touch(header))
    .on(RegisterTopicInNamesrv, ({ topic }, { request }) => {
      if (request.body === null) return
      table.registerTopic(topic, TopicRouteData.decode(request.body).queueDatas)
    })
}

function registerBroker(
  parts: Parts,
  header: HeaderOf<typeof RegisterBroker>,
  { request, peer }: Call,
): Reply<ReplyOf<typeof RegisterBroker>> {
  const { table, log } = parts
  const crc = request.body === null ? 0 : bodyCrc(request.body)
  if (header.bodyCrc32 !== 0 && header.bodyCrc32 !== crc) {
    throw new ResponseError('SYSTEM_ERROR', 'crc32 not match')
  }
  const isKnown = table.brokers.live(header) !== undefined
  const registration = {
    ...header,
    zoneName: request.extFields?.get('__ZONE_NAME'),
    peerId: peer.id,
    fingerprint: `${request.body?.length} ${crc} ${header.compressed} ${request.version}`,
  }
  const read = () => readRegistration(request.body, { ...header, version: request.version })
  const registered = table.register(registration, read)
  if (registered === null) throw new ResponseError('SYSTEM_ERROR', 'register broker failed')
  if (!isKnown) log.info({ ...header, peer: peer.address }, 'a broker has registered')
  parts.expiry.watch()
  return { header: registered, body: orderTopics(parts) }
}

/** Brokers keep the declared order of topics beside their own settings. */
function orderTopics({ kv, config }: Parts): Buffer | undefined {
  if (!config.current.returnOrderTopicConfigToBroker) return undefined
  const table = kv.table(ORDER_TOPIC_CONFIG)
  return table && KvTable.encode({ table })
}
