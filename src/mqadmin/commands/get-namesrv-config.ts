import { GetNamesrvConfig } from '../../protocol/requests/namesrv-config.ts'
import type { Call, Command } from '../command.ts'
import { printConfig, readConfig } from '../config-lines.ts'

export const command: Command = {
  name: 'getNamesrvConfig',
  doc: 'Show the settings of the name servers.',
  options: [],
  run: getNamesrvConfig,
}

async function getNamesrvConfig({ admin, out }: Call): Promise<void> {
  const configs = new Map<string, ReadonlyMap<string, string>>()
  for (const [address, { body }] of await admin.eachNameServer(GetNamesrvConfig, {})) {
    const config = readConfig(body)
    configs.set(address, config)
    printConfig(address, config, out)
  }
  out.data(configs)
}
