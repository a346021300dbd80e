import { GetColdDataFlowCtrInfo } from '../../protocol/requests/diagnostics.ts'
import { type Call, type Command } from '../command.ts'
import { TARGET_OPTIONS } from '../options.ts'
import { callApacheOnly } from '../apache-only.ts'
import { javaJson } from '../java-json.ts'

export const command: Command = {
  name: 'getColdDataFlowCtrInfo',
  doc: 'Show which groups an Apache broker slows down for reading old messages.',
  options: TARGET_OPTIONS,
  oneOf: [['b', 'c']],
  run: getColdDataFlowCtrInfo,
}

async function getColdDataFlowCtrInfo({ options, admin, out }: Call): Promise<void> {
  const infos = new Map<string, unknown>()
  for (const { address } of await admin.targets(options.text('b'), options.text('c'))) {
    const { body } = await callApacheOnly(admin, address, GetColdDataFlowCtrInfo, {})
    const info: unknown = JSON.parse(Buffer.from(body ?? '{}').toString())
    infos.set(address, info)
    out.line(` ============${address}============`)
    out.line(javaJson(info))
  }
  out.data(infos)
}
