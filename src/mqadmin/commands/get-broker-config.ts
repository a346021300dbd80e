import { MASTER_ID } from '../../client/topic-route.ts'
import { GetBrokerConfig } from '../../protocol/requests/broker.ts'
import type { Call, Command } from '../command.ts'
import { printConfig, readConfig } from '../config-lines.ts'

export const command: Command = {
  name: 'getBrokerConfig',
  doc: 'Show the settings of a broker, or of all brokers of a cluster.',
  options: [
    { short: 'b', long: 'brokerAddr', doc: 'this broker, host:port' },
    { short: 'c', long: 'clusterName', doc: 'all brokers of this cluster' },
  ],
  oneOf: [['b', 'c']],
  run: getBrokerConfig,
}

/** A broker and how Apache's tool heads its settings. */
interface Titled {
  address: string
  title: string
}

async function getBrokerConfig({ options, admin, out }: Call): Promise<void> {
  const configs = new Map<string, ReadonlyMap<string, string>>()
  for (const { address, title } of await titled({ options, admin })) {
    const { body } = await admin.call(address, GetBrokerConfig, {})
    const config = readConfig(body)
    configs.set(address, config)
    printConfig(title, config, out)
    out.line('')
  }
  out.data(configs)
}

async function titled({ options, admin }: Pick<Call, 'options' | 'admin'>): Promise<Titled[]> {
  const address = options.text('b')
  if (address !== null) return [{ address, title: address }]
  const brokers = await admin.brokers(options.needed('c'))
  return brokers.flatMap(({ brokerAddrs }) => {
    const master = brokerAddrs.get(MASTER_ID) ?? 'NO_MASTER' // Apache's word
    return [...brokerAddrs].map(([id, each]) => ({
      address: each,
      title: id === MASTER_ID ? `Master: ${each}` : `My Master: ${master}=====Slave: ${each}`,
    }))
  })
}
