import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { pullHeader, sendTo } from '../support/messages.ts'
import { SteppedBroker } from '../support/stepped-broker.ts'

test('a pull whose queue cannot be read is answered with the cause, others are served', async () => {
  const broker = await SteppedBroker.open()
  broker.addTopic('T', 2)
  broker.addGroup('consumers')
  const client = await broker.connect()
  await sendTo(client, 'T', { queueId: 0 })
  await sendTo(client, 'T', { queueId: 1 })
  broker.dispatch()
  const queue = join(broker.logDirectory, '..', 'consumequeue', 'T', '0', '0'.repeat(20))
  rmSync(queue)
  mkdirSync(queue) // reading it fails as a bad sector does, and as having no descriptors left does

  const bad = await client.ask(PullMessage, pullHeader('T', { queueId: 0 }))
  expect(bad.code).toBe(ResponseCode.SYSTEM_ERROR)
  expect(bad.remark).toMatch(/^the store could not be read: EISDIR/)
  const good = await client.ask(PullMessage, pullHeader('T', { queueId: 1 }))
  expect(good.code).toBe(ResponseCode.SUCCESS)
})
