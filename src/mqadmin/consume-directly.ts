import type { ReceivedMessage } from '../client/index.ts'
import { ConsumeDirectlyResult } from '../protocol/bodies/consume-directly-result.ts'
import { ConsumerConnection } from '../protocol/bodies/connections.ts'
import { GetConsumerConnectionList } from '../protocol/requests/client.ts'
import { ConsumeMessageDirectly } from '../protocol/requests/diagnostics.ts'
import type { Call } from './command.ts'

/** Has the consumer of -g and -d consume the message now; without -d each consumer of the group. */
export async function consumeDirectly(
  { options, admin, out }: Call,
  { offsetMsgId, storeHost, topic, brokerName }: ReceivedMessage,
): Promise<ConsumeDirectlyResult[]> {
  const consumerGroup = options.needed('g')
  const clientId = options.text('d')
  const clients = clientId === null ? await clientsOf(admin, storeHost, consumerGroup) : [clientId]
  const results: ConsumeDirectlyResult[] = []
  for (const client of clients) {
    const header = { consumerGroup, clientId: client, msgId: offsetMsgId, topic, brokerName }
    const { body } = await admin.call(storeHost, ConsumeMessageDirectly, header)
    const result = ConsumeDirectlyResult.decode(body)
    results.push(result)
    const { order, autoCommit, consumeResult, remark, spentTimeMills } = result
    out.line(
      `ConsumeMessageDirectlyResult [order=${order}, autoCommit=${autoCommit}, consumeResult=${consumeResult ?? null}, remark=${remark ?? null}, spentTimeMills=${spentTimeMills}]`,
    )
  }
  return results
}

/** Rejects with ResponseError CONSUMER_NOT_ONLINE. */
async function clientsOf(
  admin: Call['admin'],
  address: string,
  consumerGroup: string,
): Promise<string[]> {
  const { body } = await admin.call(address, GetConsumerConnectionList, { consumerGroup })
  return ConsumerConnection.decode(body).connectionSet.map(({ clientId }) => clientId)
}
