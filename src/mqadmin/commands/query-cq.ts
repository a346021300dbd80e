import { QueryConsumeQueueReply } from '../../protocol/bodies/consume-queue.ts'
import { QueryConsumeQueue } from '../../protocol/requests/diagnostics.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { javaJson } from '../java-json.ts'
import { mastersOf } from '../topic-brokers.ts'

const RULE = '='.repeat(38)

export const command: Command = {
  name: 'queryCq',
  doc: 'Show entries of a consume queue.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'q', long: 'queue', doc: 'number of the queue', isRequired: true },
    { short: 'i', long: 'index', doc: 'offset to begin at', isRequired: true },
    { short: 'c', long: 'count', doc: 'most entries, else 10' },
    { short: 'b', long: 'broker', doc: 'this broker, host:port; else the first of the topic' },
    { short: 'g', long: 'consumer', doc: 'also what this group subscribes to' },
  ],
  run: queryCq,
}

async function queryCq({ options, admin, out }: Call): Promise<void> {
  const topic = options.needed('t')
  const index = options.integer('i', 0, { min: 0 })
  const address = options.text('b') ?? (await firstMaster(admin, topic))
  const consumerGroup = options.text('g') ?? undefined
  const { body } = await admin.call(address, QueryConsumeQueue, {
    topic,
    queueId: options.integer('q', 0, { min: 0 }),
    index,
    count: options.integer('c', 10, { min: 1, max: 2 ** 31 - 1 }),
    consumerGroup,
  })
  if (body === null) throw new AdminError(`the queue has no entry ${index}`) // Apache says no more
  const reply = QueryConsumeQueueReply.decode(body)
  const { minQueueIndex: min, maxQueueIndex: max } = reply
  if (reply.queueData.length === 0 && index > 0) {
    throw new AdminError(`the queue has no entry ${index}, only ${min} to ${max - 1}`)
  }
  print(reply, { index, hasGroup: consumerGroup !== undefined, out })
  out.data(reply)
}

async function firstMaster(admin: Call['admin'], topic: string): Promise<string> {
  const [address] = await mastersOf(admin, topic)
  if (address !== undefined) return address
  throw new AdminError(`topic ${topic} has no master: name a broker with -b`)
}

function print(
  reply: QueryConsumeQueueReply,
  { index, hasGroup, out }: { index: number; hasGroup: boolean; out: Call['out'] },
): void {
  const { subscriptionData, filterData, minQueueIndex, maxQueueIndex, queueData } = reply
  if (subscriptionData !== undefined) {
    out.line(`Subscription data: \n${javaJson(subscriptionData)}\n${RULE}`)
  }
  if (hasGroup) out.line(`Filter data: \n${filterData ?? null}\n${RULE}`)
  out.line(`Queue data: \nmax: ${maxQueueIndex}, min: ${minQueueIndex}\n${RULE}`)
  const first = Math.max(index, minQueueIndex) // what was asked for may be gone
  queueData.forEach((entry, nth) => {
    const { physicOffset, physicSize, tagsCode } = entry
    const { extendDataJson = null, bitMap = null, msg = null } = entry
    out.line(`idx: ${first + nth}`)
    out.line(
      `ConsumeQueueData{physicOffset=${physicOffset}, physicSize=${physicSize}, tagsCode=${tagsCode}, extendDataJson='${extendDataJson}', bitMap='${bitMap}', eval=${entry.eval}, msg='${msg}'}`,
    )
    out.line(RULE)
  })
}
