import { SetCommitLogReadMode } from '../../protocol/requests/diagnostics.ts'
import { callApacheOnly } from '../apache-only.ts'
import type { Call, Command } from '../command.ts'
import { TARGET_OPTIONS } from '../options.ts'

export const command: Command = {
  name: 'setCommitLogReadAheadMode',
  doc: 'Say how the system reads ahead in the mapped log files of an Apache broker.',
  options: [
    ...TARGET_OPTIONS,
    {
      short: 'm',
      long: 'commitLogReadAheadMode',
      doc: '0: as usual, 1: not at all',
      isRequired: true,
    },
  ],
  oneOf: [['b', 'c']],
  run: setReadAheadMode,
}

async function setReadAheadMode({ options, admin, out }: Call): Promise<void> {
  const mode = options.integer('m', 0, { min: 0, max: 1 })
  const targets = await admin.targets(options.text('b'), options.text('c'))
  for (const { address } of targets) {
    await callApacheOnly(admin, address, SetCommitLogReadMode, { mode })
    out.line(` ============${address}============`)
    out.line(
      `commitLog set readAhead mode rstStrset commitlog readahead mode success, mode: ${mode}`,
    )
  }
  out.data({ mode, brokers: targets.map(({ address }) => address) })
}
