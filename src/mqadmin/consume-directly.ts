import type { ReceivedMessage } from '../client/index.ts'
import { ConsumeDirectlyResult } from '../protocol/bodies/consume-directly-result.ts'
import { ConsumeMessageDirectly } from '../protocol/requests/diagnostics.ts'
import type { Call } from './command.ts'
import { CLIENT_MS, clientsOf, connectionOf } from './consumer-groups.ts'

/** Has the consumer of -g and -d consume the message now; without -d each consumer of the group. */
export async function consumeDirectly(
  { options, admin, out }: Call,
  { offsetMsgId, storeHost, topic, brokerName }: ReceivedMessage,
): Promise<ConsumeDirectlyResult[]> {
  const consumerGroup = options.needed('g')
  const chosen = options.text('d')
  const clients =
    chosen === null
      ? clientsOf(await connectionOf(admin, consumerGroup, [storeHost]))
      : [{ clientId: chosen }]
  const results: ConsumeDirectlyResult[] = []
  for (const { clientId } of clients) {
    const header = { consumerGroup, clientId, msgId: offsetMsgId, topic, brokerName }
    const timeoutMs = CLIENT_MS
    const { body } = await admin.call(storeHost, ConsumeMessageDirectly, header, { timeoutMs })
    const result = ConsumeDirectlyResult.decode(body)
    results.push(result)
    const { order, autoCommit, consumeResult, remark, spentTimeMills } = result
    out.line(
      `ConsumeMessageDirectlyResult [order=${order}, autoCommit=${autoCommit}, consumeResult=${consumeResult ?? null}, remark=${remark ?? null}, spentTimeMills=${spentTimeMills}]`,
    )
  }
  return results
}
