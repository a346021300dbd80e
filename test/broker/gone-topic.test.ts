import { afterEach, expect, test } from 'vitest'
import { GetAllConsumerOffset } from '../../src/protocol/requests/offset.ts'
import { PullFlag, PullMessage } from '../../src/protocol/requests/pull.ts'
import { DeleteTopicInBroker } from '../../src/protocol/requests/topic.ts'
import { ServerProcess } from '../support/broker-process.ts'
import { createTopic, pullHeader, sendTo } from '../support/messages.ts'

let broker: ServerProcess
afterEach(() => broker.dispose())

test('what a pull commits while its topic is being deleted is not there for the next topic of that name', async () => {
  broker = await ServerProcess.startBroker()
  const client = await broker.connect()
  await createTopic(client, 'T')
  await sendTo(client, 'T')
  const consumerGroup = 'TOOLS_CONSUMER'
  const sysFlag = PullFlag.SUBSCRIPTION | PullFlag.COMMIT_OFFSET
  const deletion = client.frame(DeleteTopicInBroker, { topic: 'T' })
  const header = pullHeader('T', { consumerGroup, sysFlag, commitOffset: 77 })
  const pull = client.frame(PullMessage, header)
  client.write(Buffer.concat([deletion.bytes, pull.bytes]))
  expect((await client.replyTo(deletion.opaque)).code).toBe(0)
  await client.replyTo(pull.opaque)

  // A worker sends what was committed before whatever else it has for main.
  const { body } = await client.ask(GetAllConsumerOffset, {})
  expect(Buffer.from(body!).toString()).not.toContain('T@TOOLS_CONSUMER')
})
