import { ProducerTable } from '../../protocol/bodies/connections.ts'
import { GetAllProducerInfo } from '../../protocol/requests/client.ts'
import type { Call, Command } from '../command.ts'

export const command: Command = {
  name: 'producer',
  doc: 'Show all producers that are connected to a broker.',
  options: [{ short: 'b', long: 'broker', doc: 'broker, host:port', isRequired: true }],
  run: producer,
}

async function producer({ options, admin, out }: Call): Promise<void> {
  const { body } = await admin.call(options.needed('b'), GetAllProducerInfo, {})
  const { data } = ProducerTable.decode(body)
  for (const [group, producers] of data) {
    for (const { clientId, remoteIP, language, version, lastUpdateTimestamp } of producers) {
      out.line(
        `producer group (${group}) instance : clientId=${clientId},remoteIP=${remoteIP}, language=${language}, version=${version}, lastUpdateTimestamp=${lastUpdateTimestamp}`,
      )
    }
  }
  out.data(data)
}
