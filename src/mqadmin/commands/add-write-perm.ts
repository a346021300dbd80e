import { AddWritePermOfBroker } from '../../protocol/requests/registration.ts'
import type { Call, Command } from '../command.ts'

export const command: Command = {
  name: 'addWritePerm',
  doc: 'Give the write permission to all queues of a broker, after wipeWritePerm.',
  options: [{ short: 'b', long: 'brokerName', doc: 'broker name', isRequired: true }],
  run: addWritePerm,
}

async function addWritePerm({ options, admin, out }: Call): Promise<void> {
  const brokerName = options.needed('b')
  await admin.checkBrokerName(brokerName)
  const counts = new Map<string, number>()
  for (const [server, answer] of await admin.eachNameServer(AddWritePermOfBroker, { brokerName })) {
    const { addTopicCount: count } = answer.header
    counts.set(server, count)
    out.line(`add write perm of broker[${brokerName}] in name server[${server}] OK, ${count}`)
  }
  out.data({ brokerName, topics: counts })
}
