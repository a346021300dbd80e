import { UpdateAndCreateTopic } from '../../protocol/requests/topic.ts'
import type { Call, Command } from '../command.ts'
import { permissionText } from '../permission-text.ts'
import { orderConfOf, setOrderConf } from '../order-conf.ts'

const UNIT = 1
const UNIT_SUB = 2

export const command: Command = {
  name: 'updateTopic',
  doc: 'Create a topic or change its settings.',
  options: [
    { short: 'b', long: 'brokerAddr', doc: 'on this broker, host:port' },
    { short: 'c', long: 'clusterName', doc: 'on all masters of this cluster' },
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'r', long: 'readQueueNums', doc: 'queues to read from, else 8' },
    { short: 'w', long: 'writeQueueNums', doc: 'queues to write to, else 8' },
    { short: 'p', long: 'perm', doc: 'permission, 2: write, 4: read, 6: both (else)' },
    {
      short: 'o',
      long: 'order',
      doc: 'queues keep their order when a broker is away (true|false)',
    },
    { short: 'u', long: 'unit', doc: 'unit topic (true|false)' },
    { short: 's', long: 'hasUnitSub', doc: 'has unit subscriptions (true|false)' },
    { short: 'a', long: 'attributes', doc: 'attributes to set and to remove: +a=b,-c' },
  ],
  oneOf: [['b', 'c']],
  run: updateTopic,
}

async function updateTopic({ options, admin, out }: Call): Promise<void> {
  const topic = options.needed('t')
  const order = options.boolean('o', false)
  const header = {
    topic,
    defaultTopic: 'TBW102',
    readQueueNums: options.integer('r', 8, { min: 0 }),
    writeQueueNums: options.integer('w', 8, { min: 0 }),
    perm: options.integer('p', 6, { min: 0, max: 7 }),
    topicFilterType: 'SINGLE_TAG' as const,
    topicSysFlag:
      (options.boolean('u', false) ? UNIT : 0) | (options.boolean('s', false) ? UNIT_SUB : 0),
    order,
    attributes: options.text('a') ?? undefined,
    force: false,
  }
  const targets = await admin.targets(options.text('b'), options.text('c'))
  for (const { address } of targets) {
    await admin.call(address, UpdateAndCreateTopic, header)
    out.line('create topic to %s success.', address)
  }
  if (order) {
    const conf = await orderConfOf(admin, targets, header.writeQueueNums)
    await setOrderConf(admin, topic, conf)
    const scope = options.has('b') ? 'broker' : 'cluster'
    out.line('set %s orderConf. isOrder=%s, orderConf=[%s]', scope, order, conf)
  }
  const { readQueueNums: reads, writeQueueNums: writes, perm, topicSysFlag } = header
  const attributes = options.text('a') ?? ''
  out.line(
    `TopicConfig [topicName=${topic}, readQueueNums=${reads}, writeQueueNums=${writes}, perm=${permissionText(perm)}, topicFilterType=SINGLE_TAG, topicSysFlag=${topicSysFlag}, order=${order}, attributes={${attributes}}]`,
  )
  out.data({ ...header, brokers: targets.map(({ address }) => address) })
}
