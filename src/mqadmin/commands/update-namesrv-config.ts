import { formatProperties } from '../../config/properties.ts'
import { GetNamesrvConfig, UpdateNamesrvConfig } from '../../protocol/requests/namesrv-config.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { readConfig } from '../config-lines.ts'

export const command: Command = {
  name: 'updateNamesrvConfig',
  doc: 'Change a setting of the running name servers.',
  options: [
    { short: 'k', long: 'key', doc: 'setting', isRequired: true },
    { short: 'v', long: 'value', doc: 'its new value', isRequired: true },
  ],
  run: updateNamesrvConfig,
}

async function updateNamesrvConfig({ options, admin, out }: Call): Promise<void> {
  const [key, value] = [options.needed('k'), options.needed('v')]
  const body = Buffer.from(formatProperties([[key, value]]))
  await checkKnown(admin, key)
  await admin.eachNameServer(UpdateNamesrvConfig, {}, { body })
  const { nameServers } = admin
  out.line(`update name server config success![${nameServers.join(', ')}]`)
  out.line(`${key} : ${value}`)
  out.data({ key, value, nameServers })
}

/** Name servers take a setting that they do not have for a success: nothing would change. */
async function checkKnown(admin: Call['admin'], key: string): Promise<void> {
  for (const [address, { body }] of await admin.eachNameServer(GetNamesrvConfig, {})) {
    if (readConfig(body).has(key)) continue
    throw new AdminError(
      `the name server ${address} has no setting ${key}: getNamesrvConfig shows those it has`,
    )
  }
}
