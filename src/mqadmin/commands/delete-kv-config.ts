import { DeleteKvConfig, GetKvConfig } from '../../protocol/requests/namesrv-config.ts'
import type { Call, Command } from '../command.ts'

export const command: Command = {
  name: 'deleteKvConfig',
  doc: 'Forget a key of a namespace in all name servers.',
  options: [
    { short: 's', long: 'namespace', doc: 'namespace', isRequired: true },
    { short: 'k', long: 'key', doc: 'key', isRequired: true },
  ],
  run: deleteKvConfig,
}

async function deleteKvConfig({ options, admin, out }: Call): Promise<void> {
  const [namespace, key] = [options.needed('s'), options.needed('k')]
  await admin.askNameServer(GetKvConfig, { namespace, key }) // QUERY_NOT_FOUND: the key may be mistyped
  await admin.tellNameServers(DeleteKvConfig, { namespace, key })
  out.line('delete kv config from namespace success.')
  out.data({ namespace, key })
}
