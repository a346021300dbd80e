import { formatProperties } from '../../config/properties.ts'
import { UpdateBrokerConfig } from '../../protocol/requests/broker.ts'
import type { Call, Command } from '../command.ts'

export const command: Command = {
  name: 'updateBrokerConfig',
  doc: 'Change a setting of a running broker, or of the brokers of a cluster.',
  options: [
    { short: 'b', long: 'brokerAddr', doc: 'this broker, host:port' },
    { short: 'c', long: 'clusterName', doc: 'all masters of this cluster' },
    { short: 'a', long: 'updateAllBroker', doc: 'with -c, whatever its value: slaves, too' },
    { short: 'k', long: 'key', doc: 'setting', isRequired: true },
    { short: 'v', long: 'value', doc: 'its new value', isRequired: true },
  ],
  oneOf: [['b', 'c']],
  run: updateBrokerConfig,
}

async function updateBrokerConfig({ options, admin, out }: Call): Promise<void> {
  const [key, value] = [options.needed('k'), options.needed('v')]
  const body = Buffer.from(formatProperties([[key, value]]))
  const addresses = await addressesOf({ options, admin })
  for (const address of addresses) {
    const { remark } = await admin.call(address, UpdateBrokerConfig, {}, { body })
    out.line('update broker config success, %s', address)
    if (remark) out.line(`in force ${remark}`) // RingMQ's, see LiveConfig
  }
  out.data({ key, value, brokers: addresses })
}

async function addressesOf({ options, admin }: Pick<Call, 'options' | 'admin'>): Promise<string[]> {
  const cluster = options.text('c')
  if (cluster !== null && options.has('a')) return admin.addresses(cluster)
  return (await admin.targets(options.text('b'), cluster)).map(({ address }) => address)
}
