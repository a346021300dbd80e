import { afterEach, expect, test } from 'vitest'
import { ServerProcess } from '../support/broker-process.ts'
import { createTopic, readQueue, sendTo } from '../support/messages.ts'

let broker: ServerProcess
afterEach(() => broker.dispose())

test('a broker whose brokerIP1 is a name stores the address of that name', async () => {
  broker = await ServerProcess.startBroker({ brokerIP1: 'localhost' })
  const client = await broker.connect()
  await createTopic(client, 'T')
  const { msgId } = await sendTo(client, 'T')
  expect(msgId).toMatch(/^7F000001/)
  expect(await readQueue(client, 'T', { end: 1 })).toHaveLength(1)
})

test('a brokerIP1 that is no name of anything ends the start and says so', async () => {
  broker = ServerProcess.launchBroker({ brokerIP1: 'nowhere.invalid' })
  const { code, stderr } = await broker.exited
  expect(code).toBe(255)
  expect(stderr).toContain('brokerIP1=nowhere.invalid: allowed is an IP address, or a name')
})

test('a broker with room for too few queues says how many it has room for', async () => {
  broker = ServerProcess.launchBroker({ maxQueues: 10 })
  const { code, stderr } = await broker.exited
  expect(code).toBe(255)
  expect(stderr).toContain('maxQueues=10')
})
