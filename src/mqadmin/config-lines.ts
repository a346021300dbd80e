import { parseProperties } from '../config/properties.ts'
import type { Output } from './output.ts'

/** Settings as a server answers with them: `key=value` lines. */
export function readConfig(body: Uint8Array | null): Map<string, string> {
  const lines = Buffer.from(body ?? []).toString()
  return new Map(parseProperties(lines).map(({ key, value }) => [key, value]))
}

/** As Apache 5.3.3 prints the settings of brokers and name servers. */
export function printConfig(title: string, config: ReadonlyMap<string, string>, out: Output): void {
  out.line(`============${title}============`)
  for (const [key, value] of config) out.line('%-50s=  %s', key, value)
}
