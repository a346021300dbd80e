import type { Handlers } from '../../net/handlers.ts'
import {
  type Connection,
  ConsumerConnection,
  ProducerConnection,
  ProducerTable,
} from '../../protocol/bodies/connections.ts'
import {
  GetAllProducerInfo,
  GetConsumerConnectionList,
  GetProducerConnectionList,
} from '../../protocol/requests/client.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import type { Member } from '../consumer-group.ts'
import { shown } from '../topic-names.ts'

/** Who is connected, for administrators. */
export function registerConnectionHandlers(handlers: Handlers, { clients }: BrokerContext): void {
  handlers
    .on(GetConsumerConnectionList, ({ consumerGroup }) => {
      const group = clients.consumers(consumerGroup)
      if (group === null) {
        const why = `the consumer group[${shown(consumerGroup)}] not online`
        throw new ResponseError('CONSUMER_NOT_ONLINE', why)
      }
      const { consumeFromWhere, consumeType, messageModel, subscriptions } = group
      return {
        body: ConsumerConnection.encode({
          connectionSet: [...group.members.values()].map(connectionOf),
          consumeFromWhere,
          consumeType,
          messageModel,
          subscriptionTable: new Map(subscriptions),
        }),
      }
    })
    .on(GetProducerConnectionList, ({ producerGroup }) => {
      const members = clients.producers(producerGroup)
      if (members.length === 0) {
        const why = `the producer group[${shown(producerGroup)}] not exist`
        throw new ResponseError('SYSTEM_ERROR', why)
      }
      return { body: ProducerConnection.encode({ connectionSet: members.map(connectionOf) }) }
    })
    .on(GetAllProducerInfo, () => {
      const groups = clients.producerGroups()
      const data = new Map(groups.map((group) => [group, clients.producers(group).map(infoOf)]))
      return { body: ProducerTable.encode({ data }) }
    })
}

function connectionOf({ peer, clientId, language, version }: Member): Connection {
  return { clientAddr: peer.address, clientId, language, version }
}

function infoOf({ peer, clientId, language, version, seenAt }: Member) {
  const remoteIP = `/${peer.address}`
  return { clientId, language, lastUpdateTimestamp: seenAt, remoteIP, version }
}
