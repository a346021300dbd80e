import type { Handlers } from '../../net/handlers.ts'
import { GetNamesrvConfig, UpdateNamesrvConfig } from '../../protocol/requests/namesrv-config.ts'
import type { Parts } from '../parts.ts'

/** The settings of the name server itself. */
export function serveServerConfig(handlers: Handlers, { config, table, log }: Parts): void {
  handlers
    .on(GetNamesrvConfig, () => ({ body: Buffer.from(config.text()) }))
    .on(UpdateNamesrvConfig, (_, { request, peer }) => {
      const lines = Buffer.from(request.body ?? []).toString()
      const ignored = config.update(lines)
      table.forgetRoutes()
      log.info({ peer: peer.address, lines, ignored }, 'settings were changed by request')
      return ignored.length === 0 ? {} : { remark: `not a setting here: ${ignored.join(', ')}` }
    })
}
