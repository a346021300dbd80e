import type { RequestSpec } from '../protocol/request.ts'
import type { Call, Command, Option } from './command.ts'

const OPTIONS: readonly Option[] = [
  { short: 'b', long: 'brokerAddr', doc: 'this broker, host:port' },
  { short: 'c', long: 'cluster', doc: 'all brokers of this cluster; without -b and -c, of all' },
]

/** A command that has brokers remove something. They answer at once and remove it afterwards. */
export function cleanUpCommand(
  name: string,
  doc: string,
  spec: RequestSpec<Record<never, never>, unknown>,
): Command {
  const run = async ({ options, admin, out }: Call) => {
    const address = options.text('b')
    const addresses = address === null ? await admin.addresses(options.text('c')) : [address]
    for (const each of addresses) await admin.call(each, spec, {})
    out.line('success')
    out.data({ brokers: addresses })
  }
  return { name, doc, options: OPTIONS, run }
}
