/** Delay levels of one's own (`messageDelayLevel`), through a broker in a process of its own. */
import { expect, test } from 'vitest'
import { createTopic, properties, readQueue, sendTo } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startBroker } from '../support/started-broker.ts'

const MANY = Array.from({ length: 20 }, (_, nth) => (nth === 19 ? '1s' : '1d')).join(' ')

function delayed(client: RawClient, level: number, key: string) {
  return sendTo(client, 'T', { properties: properties({ DELAY: String(level), UNIQ_KEY: key }) })
}

function keysOf(messages: { properties: ReadonlyMap<string, string> }[]) {
  return messages.map((each) => each.properties.get('UNIQ_KEY'))
}

test('levels have the delays that they are given, and one beyond the last has that of the last', async () => {
  const client = await (await startBroker({ messageDelayLevel: '3s 1s' })).connect()
  await createTopic(client, 'T')
  await delayed(client, 1, 'late')
  await delayed(client, 2, 'early')
  await delayed(client, 9, 'beyond')
  const messages = await readQueue(client, 'T', { end: 3 })
  expect(keysOf(messages)).toEqual(['early', 'beyond', 'late'])
  expect(messages[1]!.properties.get('DELAY')).toBe('2')
})

test('more levels than 18 have queues of their own, also when the store had none for them', async () => {
  const first = await startBroker()
  await createTopic(await first.connect(), 'T')
  await first.stop()
  const client = await (await startBroker({ messageDelayLevel: MANY }, first.folder)).connect()
  await delayed(client, 20, 'u20')
  expect(keysOf(await readQueue(client, 'T', { end: 1 }))).toEqual(['u20'])
})

test('what waits keeps its time, also on a level that is not there any more; a shorter delay counts at once', async () => {
  const first = await startBroker({ messageDelayLevel: '1d 1s 2s' })
  const client = await first.connect()
  await createTopic(client, 'T')
  await delayed(client, 1, 'shortened')
  await delayed(client, 3, 'orphan')
  await first.kill()
  const again = await startBroker({ messageDelayLevel: '1s 1s' }, first.folder)
  const messages = await readQueue(await again.connect(), 'T', { end: 2 })
  expect(new Set(keysOf(messages))).toEqual(new Set(['orphan', 'shortened']))
})
