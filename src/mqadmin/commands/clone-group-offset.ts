import { UpdateConsumerOffset } from '../../protocol/requests/offset.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { consumeStats } from '../consumer-groups.ts'
import { holdersOf } from '../topic-brokers.ts'
import { checkGroup } from '../user-metadata.ts'

export const command: Command = {
  name: 'cloneGroupOffset',
  doc: 'Let a group begin in a topic where another group is.',
  options: [
    { short: 's', long: 'srcGroup', doc: 'from this group', isRequired: true },
    { short: 'd', long: 'destGroup', doc: 'to this group', isRequired: true },
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'o', long: 'offline', doc: 'kept for old scripts (true|false)' },
  ],
  run: cloneGroupOffset,
}

async function cloneGroupOffset({ options, admin, out }: Call): Promise<void> {
  const [source, target, topic] = ['s', 'd', 't'].map((short) => options.needed(short)) as [
    string,
    string,
    string,
  ]
  const cloned: { address: string; queueId: number; offset: number }[] = []
  const addresses = await holdersOf(admin, topic)
  await checkGroup(admin, source, addresses)
  for (const address of addresses) {
    const { queues } = await consumeStats(admin, source, { topic, addresses: [address] })
    for (const [{ queueId }, { consumerOffset: commitOffset }] of queues) {
      const header = { consumerGroup: target, topic, queueId, commitOffset }
      await admin.call(address, UpdateConsumerOffset, header)
      cloned.push({ address, queueId, offset: commitOffset })
    }
  }
  if (cloned.length === 0)
    throw new AdminError(`${source} has consumed nothing of ${topic}: there is nothing to clone`)
  out.line(
    `clone group offset success. srcGroup[${source}], destGroup=[${target}], topic[${topic}]`,
  )
  out.data({ source, target, topic, queues: cloned })
}
