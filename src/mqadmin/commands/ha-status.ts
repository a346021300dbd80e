import { HaStatus } from '../../protocol/bodies/ha-status.ts'
import { GetBrokerHaStatus } from '../../protocol/requests/diagnostics.ts'
import type { Call, Command } from '../command.ts'
import { TARGET_OPTIONS } from '../options.ts'
import type { Output } from '../output.ts'
import { humanTime } from '../printf.ts'
import { repeat } from '../repeat.ts'

const ROW = '%-32s  %-16s %16s %16s %16s %16s'
const KIB = 1024

export const command: Command = {
  name: 'haStatus',
  doc: 'Show which slaves follow a master, and how far they are.',
  options: [
    ...TARGET_OPTIONS,
    { short: 'i', long: 'interval', doc: 'again every so many seconds' },
  ],
  oneOf: [['b', 'c']],
  run: (call) => repeat(call, () => haStatus(call)),
}

async function haStatus({ options, admin, out }: Call): Promise<void> {
  const all = new Map<string, HaStatus>()
  for (const { address } of await admin.targets(options.text('b'), options.text('c'))) {
    const { body } = await admin.call(address, GetBrokerHaStatus, {})
    const status = HaStatus.decode(body)
    all.set(address, status)
    if (status.master) printMaster(address, status, out)
    else printSlave(status, out)
  }
  out.data(all)
}

function printMaster(address: string, status: HaStatus, out: Output): void {
  const { masterCommitLogMaxOffset, haConnectionInfo, inSyncSlaveNums } = status
  out.line(`\n#MasterAddr\t${address}`)
  out.line(`#MasterCommitLogMaxOffset\t${masterCommitLogMaxOffset}`)
  out.line(`#SlaveNum\t${haConnectionInfo.length}`)
  out.line(`#InSyncSlaveNum\t${inSyncSlaveNums}`)
  const heads = ['#SlaveAddr', '#SlaveAckOffset', '#Diff', '#TransferSpeed(KB/s)', '#Status']
  out.head(ROW, ...heads, '#TransferFromWhere')
  for (const slave of haConnectionInfo) {
    const speed = (slave.transferredByteInSecond / KIB).toFixed(2)
    const state = slave.inSync ? 'OK' : 'Fall Behind'
    const { addr, slaveAckOffset, diff, transferFromWhere } = slave
    out.row(ROW, addr, slaveAckOffset, diff, speed, state, transferFromWhere)
  }
}

function printSlave({ haClientRuntimeInfo: client }: HaStatus, out: Output): void {
  if (client === undefined) return
  out.line(`\n#MasterAddr\t${client.masterAddr ?? null}`)
  out.line(`#CommitLogMaxOffset\t${client.maxOffset}`)
  out.line(`#TransferSpeed(KB/s)\t${(client.transferredByteInSecond / KIB).toFixed(2)}`)
  out.line(`#LastReadTime\t${humanTime(client.lastReadTimestamp)}`)
  out.line(`#LastWriteTime\t${humanTime(client.lastWriteTimestamp)}`)
  out.line(`#MasterFlushOffset\t${client.masterFlushOffset}`)
}
