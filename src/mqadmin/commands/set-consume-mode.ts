import { AdminError, type Call, type Command } from '../command.ts'
import { RequestModeBody } from '../../protocol/bodies/request-mode.ts'
import { SetMessageRequestMode } from '../../protocol/requests/group.ts'

export const command: Command = {
  name: 'setConsumeMode',
  doc: 'Let a group consume a topic by PULL or POP: it counts for consumers that leave their queues to the broker (clientRebalance=false).',
  options: [
    { short: 'b', long: 'brokerAddr', doc: 'on this broker, host:port' },
    { short: 'c', long: 'clusterName', doc: 'on all masters of this cluster' },
    { short: 't', long: 'topicName', doc: 'topic name', isRequired: true },
    { short: 'g', long: 'groupName', doc: 'consumer group', isRequired: true },
    { short: 'm', long: 'mode', doc: 'PULL or POP', isRequired: true },
    { short: 'q', long: 'popShareQueueNum', doc: 'queues shared by POP consumers, else 0' },
  ],
  oneOf: [['b', 'c']],
  run: setConsumeMode,
}

async function setConsumeMode({ options, admin, out }: Call): Promise<void> {
  const [topic, consumerGroup] = [options.needed('t'), options.needed('g')]
  const mode = options.needed('m').toUpperCase()
  if (mode !== 'PULL' && mode !== 'POP') throw new AdminError(`-m ${mode}: it must be PULL or POP`)
  const popShareQueueNum = options.integer('q', 0)
  const body = RequestModeBody.encode({ topic, consumerGroup, mode, popShareQueueNum })
  const targets = await admin.targets(options.text('b'), options.text('c'))
  for (const { address } of targets) {
    await admin.call(address, SetMessageRequestMode, {}, { body })
    out.line('set consume mode to %s success.', address)
  }
  out.line(
    `topic[${topic}] group[${consumerGroup}] consume mode[${mode}] popShareQueueNum[${popShareQueueNum}]`,
  )
  out.data({ topic, group: consumerGroup, mode, popShareQueueNum })
}
