import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ServerProcess } from '../support/broker-process.ts'
import { createTopic, sendTo } from '../support/messages.ts'
import { describeConnections } from './network-connections.ts'
import { describeHostility } from './network-hostile.ts'
import { describeSends } from './network-sends.ts'

describe.each([1, 2, 4])('%i network workers', (networkWorkers) => {
  let broker: ServerProcess
  const started = () => broker
  beforeAll(async () => {
    broker = await ServerProcess.startBroker({ networkWorkers })
  })
  afterAll(() => broker.dispose())

  describe('connections', () => describeConnections(started))
  describe('sends', () => describeSends(started))
  describe('hostile input', () => describeHostility(started, networkWorkers))
})

test('silent connections and those beyond maxConnections are closed, the others stay', async () => {
  const settings = { maxConnections: 2, serverChannelMaxIdleTimeSeconds: 1 }
  const broker = await ServerProcess.startBroker(settings)
  const [first, second] = [await broker.connect(), await broker.connect()]
  await createTopic(first, 'T')
  const third = await broker.connect()
  await third.closed
  await sendTo(second, 'T')
  first.close()
  await first.closed
  await sendTo(second, 'T')
  await second.closed
  expect(broker.isRunning).toBe(true)
  await broker.dispose()
})
