import type { ConsumerConnection } from '../../protocol/bodies/connections.ts'
import type { Call, Command } from '../command.ts'
import { brokersOfGroup, connectionOf } from '../consumer-groups.ts'
import type { Output } from '../output.ts'
import { versionText } from '../../protocol/version-text.ts'

const ROW = '%-36s %-22s %-10s %s'
const SUBSCRIPTION_ROW = '%-20s %s'

export const command: Command = {
  name: 'consumerConnection',
  doc: 'Show the connected consumers of a group, and what it subscribes to.',
  options: [
    { short: 'g', long: 'consumerGroup', doc: 'consumer group', isRequired: true },
    { short: 'b', long: 'brokerAddr', doc: 'as this broker knows it, host:port' },
  ],
  run: consumerConnection,
}

async function consumerConnection({ options, admin, out }: Call): Promise<void> {
  const group = options.needed('g')
  const address = options.text('b')
  const addresses = address === null ? await brokersOfGroup(admin, group) : [address]
  const connection = await connectionOf(admin, group, addresses)
  print(connection, out)
  out.data(connection)
}

function print(connection: ConsumerConnection, out: Output): void {
  out.head(ROW, '#ClientId', '#ClientAddr', '#Language', '#Version')
  for (const { clientId, clientAddr, language, version } of connection.connectionSet) {
    out.row(ROW, clientId, clientAddr, language, versionText(version))
  }
  out.line('\nBelow is subscription:')
  out.head(SUBSCRIPTION_ROW, '#Topic', '#SubExpression')
  for (const { topic, subString } of connection.subscriptionTable.values()) {
    out.row(SUBSCRIPTION_ROW, topic, subString)
  }
  out.line('')
  out.line(`ConsumeType: ${connection.consumeType}`)
  out.line(`MessageModel: ${connection.messageModel}`)
  out.line(`ConsumeFromWhere: ${connection.consumeFromWhere}`)
}
