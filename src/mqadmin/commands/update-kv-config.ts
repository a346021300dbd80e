import { PutKvConfig } from '../../protocol/requests/namesrv-config.ts'
import type { Call, Command } from '../command.ts'

export const command: Command = {
  name: 'updateKvConfig',
  doc: 'Store a value under a key of a namespace in all name servers.',
  options: [
    { short: 's', long: 'namespace', doc: 'namespace', isRequired: true },
    { short: 'k', long: 'key', doc: 'key', isRequired: true },
    { short: 'v', long: 'value', doc: 'value', isRequired: true },
  ],
  run: updateKvConfig,
}

async function updateKvConfig({ options, admin, out }: Call): Promise<void> {
  const [namespace, key, value] = [options.needed('s'), options.needed('k'), options.needed('v')]
  await admin.tellNameServers(PutKvConfig, { namespace, key, value })
  out.line('create or update kv config to namespace success.')
  out.data({ namespace, key, value })
}
