import { WipeWritePermOfBroker } from '../../protocol/requests/registration.ts'
import type { Call, Command } from '../command.ts'

export const command: Command = {
  name: 'wipeWritePerm',
  doc: 'Take the write permission from all queues of a broker, so that producers leave it before it stops.',
  options: [{ short: 'b', long: 'brokerName', doc: 'broker name', isRequired: true }],
  run: wipeWritePerm,
}

async function wipeWritePerm({ options, admin, out }: Call): Promise<void> {
  const brokerName = options.needed('b')
  await admin.checkBrokerName(brokerName)
  const counts = new Map<string, number>()
  for (const [server, answer] of await admin.eachNameServer(WipeWritePermOfBroker, {
    brokerName,
  })) {
    const { wipeTopicCount: count } = answer.header
    counts.set(server, count)
    out.line(`wipe write perm of broker[${brokerName}] in name server[${server}] OK, ${count}`)
  }
  out.data({ brokerName, topics: counts })
}
