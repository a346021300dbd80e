import { formatProperties } from '../../config/properties.ts'
import { UpdateColdDataFlowCtrConfig } from '../../protocol/requests/diagnostics.ts'
import { callApacheOnly } from '../apache-only.ts'
import type { Call, Command } from '../command.ts'
import { TARGET_OPTIONS } from '../options.ts'

export const command: Command = {
  name: 'updateColdDataFlowCtrGroupConfig',
  doc: 'Limit how much of old messages a group may read from an Apache broker.',
  options: [
    ...TARGET_OPTIONS,
    { short: 'g', long: 'consumerGroup', doc: 'group name', isRequired: true },
    { short: 'v', long: 'threshold', doc: 'bytes a second', isRequired: true },
  ],
  oneOf: [['b', 'c']],
  run: updateColdDataFlowCtr,
}

async function updateColdDataFlowCtr({ options, admin, out }: Call): Promise<void> {
  const group = options.needed('g')
  const threshold = options.integer('v', 0, { min: 0 })
  const body = Buffer.from(formatProperties([[group, String(threshold)]]))
  const targets = await admin.targets(options.text('b'), options.text('c'))
  for (const { address } of targets) {
    await callApacheOnly(admin, address, UpdateColdDataFlowCtrConfig, {}, body)
    out.line('updateColdDataFlowCtrGroupConfig success, %s', address)
  }
  out.data({ group, threshold, brokers: targets.map(({ address }) => address) })
}
