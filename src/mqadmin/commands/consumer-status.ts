import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConsumerRunningInfo } from '../../protocol/bodies/running-info.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import { TimeoutError } from '../../net/remoting-error.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { brokersOfGroup, clientsOf, connectionOf, runningInfo } from '../consumer-groups.ts'
import type { Output } from '../output.ts'
import { runningInfoText } from '../running-info-text.ts'
import { rebalanceFaults, type RebalanceFaults } from '../rebalance-check.ts'
import { versionText } from '../../protocol/version-text.ts'

const ROW = '%-10s %-40s %-20s %s'

export const command: Command = {
  name: 'consumerStatus',
  doc: 'Ask the consumers of a group for their state. Of all of them it is written to files here.',
  options: [
    { short: 'g', long: 'consumerGroup', doc: 'consumer group', isRequired: true },
    { short: 'i', long: 'clientId', doc: 'show this consumer' },
    { short: 'b', long: 'brokerAddr', doc: 'through this broker, host:port' },
    { short: 's', long: 'jstack', doc: 'with the stacks of its threads', isFlag: true },
  ],
  run: consumerStatus,
}

async function consumerStatus(call: Call): Promise<void> {
  const { options, admin, out } = call
  const group = options.needed('g')
  const address = options.text('b')
  const addresses = address === null ? await brokersOfGroup(admin, group) : [address]
  const clientId = options.text('i')
  if (clientId === null) return everyClient(call, group, addresses)
  const asked = { consumerGroup: group, clientId, jstackEnable: options.has('s') }
  const info = await runningInfo(admin, asked, addresses)
  out.line(runningInfoText(info))
  out.data(info)
}

async function everyClient(
  { options, admin, out }: Call,
  consumerGroup: string,
  addresses: readonly string[],
): Promise<void> {
  const connection = await connectionOf(admin, consumerGroup, addresses)
  const folder = String(Date.now())
  const infos = new Map<string, ConsumerRunningInfo>()
  const silent: string[] = []
  out.head(ROW, '#Index', '#ClientId', '#Version', '#ConsumerRunningInfoFile')
  for (const { clientId, version } of clientsOf(connection)) {
    const asked = { consumerGroup, clientId, jstackEnable: options.has('s') }
    const info = await runningInfo(admin, asked, addresses).catch(silence)
    if (info === null) silent.push(clientId)
    else {
      infos.set(clientId, info)
      const file = out.isJson ? '' : await keep(folder, clientId, info)
      out.row(ROW, infos.size, clientId, versionText(version), file)
    }
  }
  const faults = rebalanceFaults([...infos])
  if (infos.size > 0) printFaults(faults, out)
  out.data({ clients: infos, silent, ...faults })
  if (silent.length === 0) return
  const clients = silent.join(', ')
  throw new AdminError(`no answer from ${clients}: consumers of old or other clients have none`)
}

function printFaults(
  { isSameSubscription, differences, problem }: RebalanceFaults,
  out: Output,
): void {
  out.line('')
  if (isSameSubscription) {
    out.line('\nSame subscription in the same group of consumer')
    out.line(`\nRebalance ${problem === null ? 'OK' : 'Failed'}`)
  } else out.line('\nWARN: Different subscription in the same group of consumer!!!')
  for (const { wants, clients } of differences) {
    out.line(`${wants} is wanted only by ${clients.join(', ')}`)
  }
  if (problem !== null) out.line(problem)
}

/** One that hangs must not keep the others from being shown. */
function silence(error: unknown): null {
  if (error instanceof ResponseError || error instanceof TimeoutError) return null
  throw error
}

/** The name of a client is its own: it may not leave the folder. */
async function keep(folder: string, clientId: string, info: ConsumerRunningInfo): Promise<string> {
  const name = clientId.replaceAll(/[/\\\0]/g, '_').replace(/^\.+/, '_')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, name), runningInfoText(info))
  return `${folder}/${name}`
}
