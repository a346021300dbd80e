import { deleteFromBrokers, deleteFromNameServers } from '../delete-topic.ts'
import { DeleteSubscriptionGroup } from '../../protocol/requests/group.ts'
import type { Call, Command } from '../command.ts'
import { checkGroup } from '../user-metadata.ts'

export const command: Command = {
  name: 'deleteSubGroup',
  doc: 'Delete a consumer group; with -c its retry and dead letter topics, too.',
  options: [
    { short: 'b', long: 'brokerAddr', doc: 'from this broker, host:port' },
    { short: 'c', long: 'clusterName', doc: 'from all masters of this cluster' },
    { short: 'g', long: 'groupName', doc: 'consumer group', isRequired: true },
    { short: 'r', long: 'removeOffset', doc: 'its offsets, too (true|false), else false' },
  ],
  oneOf: [['b', 'c']],
  run: deleteSubGroup,
}

async function deleteSubGroup({ options, admin, out }: Call): Promise<void> {
  const groupName = options.needed('g')
  const cluster = options.text('c')
  const cleanOffset = options.boolean('r', false)
  const targets = await admin.targets(options.text('b'), cluster)
  await checkGroup(
    admin,
    groupName,
    targets.map(({ address }) => address),
  )
  const where = cluster === null ? '' : ` in cluster [${cluster}]`
  for (const { address } of targets) {
    await admin.call(address, DeleteSubscriptionGroup, { groupName, cleanOffset })
    out.line(`delete subscription group [${groupName}] from broker [${address}]${where} success.`)
  }
  if (cluster !== null) {
    for (const topic of [`%RETRY%${groupName}`, `%DLQ%${groupName}`]) {
      await deleteFromBrokers(admin, topic, cluster)
      await deleteFromNameServers(admin, topic, cluster)
    }
  }
  out.data({ group: groupName, brokers: targets.map(({ address }) => address), cleanOffset })
}
