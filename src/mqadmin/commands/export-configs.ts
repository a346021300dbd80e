import { MASTER_ID } from '../../client/topic-route.ts'
import { GetBrokerConfig } from '../../protocol/requests/broker.ts'
import type { Call, Command } from '../command.ts'
import { readConfig } from '../config-lines.ts'
import { exportFile, FILE_OPTION } from '../export-file.ts'

/** What matters when a cluster is to be set up anew (Apache 5.3.3, ExportConfigsCommand). */
const KEYS = [
  'brokerClusterName',
  'brokerId',
  'brokerName',
  'brokerRole',
  'fileReservedTime',
  'filterServerNums',
  'flushDiskType',
  'maxMessageSize',
  'messageDelayLevel',
  'msgTraceTopicName',
  'slaveReadEnable',
  'traceOn',
  'traceTopicEnable',
  'useTLS',
  'autoCreateTopicEnable',
  'autoCreateSubscriptionGroup',
]

export const command: Command = {
  name: 'exportConfigs',
  doc: 'Write how large a cluster is, and the main settings of its masters, to configs.json.',
  options: [{ short: 'c', long: 'clusterName', doc: 'cluster', isRequired: true }, FILE_OPTION],
  run: exportConfigs,
}

async function exportConfigs(call: Call): Promise<void> {
  const { options, admin } = call
  const brokers = await admin.brokers(options.needed('c'))
  const ids = brokers.flatMap(({ brokerAddrs }) => [...brokerAddrs.keys()])
  const masters = ids.filter((id) => id === MASTER_ID).length
  const brokerConfigs: Record<string, Record<string, string>> = {}
  for (const { brokerName, address } of await admin.masters(options.needed('c'))) {
    const { body } = await admin.call(address, GetBrokerConfig, {})
    const all = readConfig(body)
    const kept = KEYS.filter((key) => all.has(key)).map((key) => [key, all.get(key)!])
    brokerConfigs[brokerName] = Object.fromEntries(kept) as Record<string, string>
  }
  const clusterScale = {
    namesrvSize: admin.nameServers.length,
    slaveBrokerSize: ids.length - masters,
    masterBrokerSize: masters,
  }
  await exportFile(call, 'configs.json', { clusterScale, brokerConfigs })
}
