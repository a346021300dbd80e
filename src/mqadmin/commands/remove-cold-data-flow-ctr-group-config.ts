import { RemoveColdDataFlowCtrConfig } from '../../protocol/requests/diagnostics.ts'
import { callApacheOnly } from '../apache-only.ts'
import type { Call, Command } from '../command.ts'
import { TARGET_OPTIONS } from '../options.ts'

export const command: Command = {
  name: 'removeColdDataFlowCtrGroupConfig',
  doc: 'Forget how much of old messages a group may read from an Apache broker.',
  options: [
    ...TARGET_OPTIONS,
    { short: 'g', long: 'consumerGroup', doc: 'group name', isRequired: true },
  ],
  oneOf: [['b', 'c']],
  run: removeColdDataFlowCtr,
}

async function removeColdDataFlowCtr({ options, admin, out }: Call): Promise<void> {
  const group = options.needed('g')
  const targets = await admin.targets(options.text('b'), options.text('c'))
  for (const { address } of targets) {
    await callApacheOnly(admin, address, RemoveColdDataFlowCtrConfig, {}, Buffer.from(group))
    out.line('remove broker cold read threshold success, %s', address)
  }
  out.data({ group, brokers: targets.map(({ address }) => address) })
}
