import { type Connection, ProducerConnection } from '../../protocol/bodies/connections.ts'
import { GetProducerConnectionList } from '../../protocol/requests/client.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { Call, Command } from '../command.ts'
import { holdersOf } from '../topic-brokers.ts'
import { versionText } from '../../protocol/version-text.ts'

const ROW = '%04d  %-32s %-22s %-8s %s'

export const command: Command = {
  name: 'producerConnection',
  doc: 'Show the connected producers of a group.',
  options: [
    { short: 'g', long: 'producerGroup', doc: 'producer group', isRequired: true },
    { short: 't', long: 'topic', doc: 'a topic that it sends to', isRequired: true },
  ],
  run: producerConnection,
}

async function producerConnection(call: Call): Promise<void> {
  const { options, out } = call
  const connections = await connectionsOf(call, options.needed('g'))
  for (const [nth, { clientId, clientAddr, language, version }] of connections.entries()) {
    out.line(ROW, nth + 1, clientId, clientAddr, language, versionText(version))
  }
  out.data(connections)
}

/** A producer is connected to the brokers that it has sent to: the first one that knows it will do. */
async function connectionsOf(
  { options, admin }: Call,
  producerGroup: string,
): Promise<Connection[]> {
  let failure: unknown = new ResponseError('SYSTEM_ERROR', 'the topic is on no broker')
  for (const address of await holdersOf(admin, options.needed('t'))) {
    try {
      const { body } = await admin.call(address, GetProducerConnectionList, { producerGroup })
      return ProducerConnection.decode(body).connectionSet
    } catch (error) {
      if (!(error instanceof ResponseError)) throw error
      failure = error
    }
  }
  throw failure
}
