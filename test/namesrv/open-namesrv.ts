import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Clock } from '../../src/base/clock.ts'
import { loadConfig } from '../../src/config/load.ts'
import { type NamesrvConfig, namesrvDeclaration } from '../../src/config/namesrv.ts'
import { RemotingClient } from '../../src/net/remoting-client.ts'
import { type Namesrv, startNamesrv } from '../../src/namesrv/namesrv.ts'

/** A name server on a free port, with its files in a folder of its own. */
export interface OpenNamesrv {
  namesrv: Namesrv
  address: string
  folder: string
  /** Lines that were logged, from `warn` on. */
  warnings: string[]
  /** A client that is no broker. */
  asker: RemotingClient
  /** A client with connections of its own. */
  client(): RemotingClient
  /** Starts it anew on the same files. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export async function openNamesrv(
  overrides: Record<string, string> = {},
  { clock, port = 0 }: { clock?: Clock; port?: number } = {},
): Promise<OpenNamesrv> {
  const folder = mkdtempSync(join(tmpdir(), 'namesrv-'))
  const config = namesrvConfig(folder, overrides)
  const warnings: string[] = []
  const warn = (_: object, message: string) => void warnings.push(message)
  const quiet = () => undefined
  const log = { debug: quiet, info: quiet, warn, error: warn }
  const start = () => startNamesrv({ config, host: '127.0.0.1', port, log, clock })
  const asker = new RemotingClient()
  const clients = [asker]
  const opened: OpenNamesrv = {
    namesrv: await start(),
    get address() {
      return `127.0.0.1:${opened.namesrv.port}`
    },
    folder,
    warnings,
    asker,
    client() {
      const client = new RemotingClient()
      clients.push(client)
      return client
    },
    async restart() {
      await opened.namesrv.close()
      opened.namesrv = await start()
    },
    async stop() {
      for (const client of clients) await client.close()
      await opened.namesrv.close()
      rmSync(folder, { recursive: true })
    },
  }
  return opened
}

export function namesrvConfig(folder: string, overrides: Record<string, string>): NamesrvConfig {
  const files = {
    kvConfigPath: join(folder, 'kvConfig.json'),
    configStorePath: join(folder, 'namesrv.properties'),
  }
  return loadConfig(namesrvDeclaration, { overrides: { ...files, ...overrides } }).config
}
