import { allocateInBlocks, type MessageQueue } from '../../client/index.ts'
import { AdminError, type Call, type Command } from '../command.ts'

const READ = 4

export const command: Command = {
  name: 'allocateMQ',
  doc: 'Show how the queues of a topic are shared out to clients (averagely).',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'i', long: 'ipList', doc: 'client ids, comma between them', isRequired: true },
  ],
  run: allocateMq,
}

async function allocateMq({ options, admin, out }: Call): Promise<void> {
  const topic = options.needed('t')
  const clients = options
    .needed('i')
    .split(',')
    .map((each) => each.trim())
  if (clients.includes('')) throw new AdminError('-i: a client id is empty')
  const { queueDatas } = await admin.route(topic)
  const queues = queueDatas
    .filter(({ perm }) => (perm & READ) !== 0)
    .toSorted((a, b) => (a.brokerName < b.brokerName ? -1 : 1))
    .flatMap(({ brokerName, readQueueNums }) =>
      Array.from({ length: readQueueNums }, (_, queueId): MessageQueue => ({
        brokerName,
        queueId,
        topic,
      })),
    )
  const result = new Map(
    clients.map((client) => [client, allocateInBlocks(queues, clients, client)]),
  )
  out.line(JSON.stringify({ result: Object.fromEntries(result) }))
  out.data({ result })
}
