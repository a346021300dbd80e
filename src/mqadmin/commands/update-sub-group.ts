import { SubscriptionGroupConfig } from '../../protocol/bodies/subscription-group.ts'
import { JsonError, parseJson } from '../../protocol/json.ts'
import type { JsonValue } from '../../protocol/json.ts'
import { UpdateAndCreateSubscriptionGroup } from '../../protocol/requests/group.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { groupText } from '../group-text.ts'
import type { GivenOptions } from '../options.ts'

export const command: Command = {
  name: 'updateSubGroup',
  doc: 'Create a consumer group or replace its settings: what is not given goes back to its default.',
  options: [
    { short: 'b', long: 'brokerAddr', doc: 'on this broker, host:port' },
    { short: 'c', long: 'clusterName', doc: 'on all masters of this cluster' },
    { short: 'g', long: 'groupName', doc: 'consumer group', isRequired: true },
    { short: 's', long: 'consumeEnable', doc: 'it may consume (true|false), else true' },
    { short: 'm', long: 'consumeFromMinEnable', doc: 'from the first message on (true|false)' },
    { short: 'd', long: 'consumeBroadcastEnable', doc: 'it may broadcast (true|false)' },
    { short: 'o', long: 'consumeMessageOrderly', doc: 'in order (true|false)' },
    { short: 'q', long: 'retryQueueNums', doc: 'queues of its retry topic, else 1' },
    { short: 'r', long: 'retryMaxTimes', doc: 'retries before a message is dead, else 16' },
    { short: 'p', long: 'groupRetryPolicy', doc: 'when messages are tried again, as JSON' },
    { short: 'i', long: 'brokerId', doc: 'broker to consume from, else 0' },
    {
      short: 'w',
      long: 'whichBrokerWhenConsumeSlowly',
      doc: 'broker to consume from when it is far behind, else 1',
    },
    {
      short: 'a',
      long: 'notifyConsumerIdsChanged',
      doc: 'its consumers hear of one another (true|false), else true',
    },
    {
      short: 'attributes',
      long: 'attributes',
      doc: 'attributes to set and to remove: +a=b,-c',
      isLongOnly: true,
    },
  ],
  oneOf: [['b', 'c']],
  run: updateSubGroup,
}

async function updateSubGroup({ options, admin, out }: Call): Promise<void> {
  const group = groupOf(options)
  const body = SubscriptionGroupConfig.encode(group)
  const targets = await admin.targets(options.text('b'), options.text('c'))
  for (const { address } of targets) {
    await admin.call(address, UpdateAndCreateSubscriptionGroup, {}, { body })
    out.line('create subscription group to %s success.', address)
  }
  out.line(groupText(group))
  out.data({ ...group, brokers: targets.map(({ address }) => address) })
}

/** Defaults are the tool's, not the broker's, as with Apache 5.3.3: no broadcast, not from the first message. */
function groupOf(options: GivenOptions): SubscriptionGroupConfig {
  const plain = SubscriptionGroupConfig.read(
    new Map<string, JsonValue>([
      ['groupName', options.needed('g')],
      ['groupRetryPolicy', retryPolicy(options.text('p'))],
    ]),
  )
  return {
    ...plain,
    consumeEnable: options.boolean('s', true),
    consumeFromMinEnable: options.boolean('m', false),
    consumeBroadcastEnable: options.boolean('d', false),
    consumeMessageOrderly: options.boolean('o', false),
    retryQueueNums: options.integer('q', plain.retryQueueNums, { min: 0 }),
    retryMaxTimes: options.integer('r', plain.retryMaxTimes),
    brokerId: options.integer('i', plain.brokerId, { min: 0 }),
    whichBrokerWhenConsumeSlowly: options.integer('w', plain.whichBrokerWhenConsumeSlowly, {
      min: 0,
    }),
    notifyConsumerIdsChangedEnable: options.boolean('a', true),
    attributes: attributesOf(options.text('attributes')),
  }
}

function retryPolicy(text: string | null): JsonValue {
  if (text === null) return null
  try {
    const policy = parseJson(text)
    SubscriptionGroupConfig.read(
      new Map<string, JsonValue>([
        ['groupName', ''],
        ['groupRetryPolicy', policy],
      ]),
    )
    return policy
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    const like =
      '{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":1000,"max":60000,"multiplier":2}}'
    throw new AdminError(`-p: ${error.message}; it must be like ${like}`)
  }
}

/** `+a=b` sets, `-a` removes; the broker knows which there are. */
function attributesOf(text: string | null): Map<string, string> {
  const changes = (text ?? '').split(',').filter((each) => each !== '')
  return new Map(
    changes.map((change) => {
      const [, name, value] = /^([+-][^=]+)(?:=(.*))?$/.exec(change) ?? []
      if (name !== undefined) return [name, value ?? '']
      throw new AdminError(`--attributes ${change}: it must be +name=value or -name`)
    }),
  )
}
