import { EpochCache } from '../../protocol/bodies/epoch-cache.ts'
import { GetBrokerEpochCache } from '../../protocol/requests/diagnostics.ts'
import type { Call, Command } from '../command.ts'
import { repeat } from '../repeat.ts'

export const command: Command = {
  name: 'getBrokerEpoch',
  doc: 'Show the epochs of a broker under a controller.',
  options: [
    { short: 'b', long: 'brokerName', doc: 'all brokers of this name' },
    { short: 'c', long: 'clusterName', doc: 'all brokers of this cluster' },
    { short: 'i', long: 'interval', doc: 'again every so many seconds' },
  ],
  oneOf: [['b', 'c']],
  run: (call) => repeat(call, () => getBrokerEpoch(call)),
}

async function getBrokerEpoch({ options, admin, out }: Call): Promise<void> {
  const name = options.text('b')
  if (name !== null) await admin.checkBrokerName(name)
  const brokers = await admin.brokers(options.text('c'))
  const wanted = brokers.filter(({ brokerName }) => name === null || brokerName === name)
  const caches: EpochCache[] = []
  for (const address of wanted.flatMap(({ brokerAddrs }) => [...brokerAddrs.values()])) {
    const { body } = await admin.call(address, GetBrokerEpochCache, {})
    const cache = EpochCache.decode(body)
    caches.push(cache)
    print(address, cache, out)
  }
  out.data(caches)
}

function print(address: string, cache: EpochCache, out: Call['out']): void {
  const { clusterName, brokerName, brokerId, epochList, maxOffset } = cache
  out.line(`\n#clusterName\t${clusterName}`)
  out.line(`#brokerName\t${brokerName}`)
  out.line(`#brokerAddr\t${address}`)
  out.line(`#brokerId\t${brokerId}`)
  epochList.forEach(({ epoch, startOffset, endOffset }, nth) => {
    const end = nth === epochList.length - 1 ? maxOffset : endOffset // the last one goes on
    out.line(`#Epoch: EpochEntry{epoch=${epoch}, startOffset=${startOffset}, endOffset=${end}}`)
  })
}
