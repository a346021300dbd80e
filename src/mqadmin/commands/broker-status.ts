import { KvTable } from '../../protocol/bodies/kv-table.ts'
import { GetBrokerRuntimeInfo } from '../../protocol/requests/broker.ts'
import type { Call, Command } from '../command.ts'
import { TARGET_OPTIONS } from '../options.ts'

export const command: Command = {
  name: 'brokerStatus',
  doc: 'Show what a broker says of itself: counters, positions, times.',
  options: TARGET_OPTIONS,
  oneOf: [['b', 'c']],
  run: brokerStatus,
}

async function brokerStatus({ options, admin, out }: Call): Promise<void> {
  const tables = new Map<string, ReadonlyMap<string, string>>()
  for (const { address } of await admin.targets(options.text('b'), options.text('c'))) {
    const { body } = await admin.call(address, GetBrokerRuntimeInfo, {})
    const { table } = KvTable.decode(body)
    tables.set(address, table)
    for (const [key, value] of [...table].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (options.has('c')) out.line('%-24s %-32s: %s', address, key, value)
      else out.line('%-32s: %s', key, value)
    }
  }
  out.data(tables)
}
