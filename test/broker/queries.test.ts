import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodeOffsetMessageId } from '../../src/protocol/message-id.ts'
import { QueryMessage, ViewMessageById } from '../../src/protocol/requests/query.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import type { ServerProcess, Settings } from '../support/broker-process.ts'
import { createTopic, messagesOf, properties, sendTo } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startBroker } from '../support/started-broker.ts'
import { tempFolder } from '../support/temp-folder.ts'

function start(settings: Settings = {}, folder?: string): Promise<ServerProcess> {
  return startBroker({ maxHashSlotNum: 50, maxIndexNum: 101, ...settings }, folder)
}

async function send(client: RawClient, nth: number): Promise<string> {
  const pairs = { KEYS: `key-${nth} every`, UNIQ_KEY: `unique-${nth}` }
  const { msgId } = await sendTo(client, 'T', { properties: properties(pairs) })
  return msgId
}

/** Asks until the index has come that far: it follows the messages. */
async function find(client: RawClient, key: string, uniqueKeyQuery = false): Promise<string[]> {
  const header = { topic: 'T', key, maxNum: 64, beginTimestamp: 0, endTimestamp: 2 ** 52 }
  for (;;) {
    const answer = await client.ask(QueryMessage, { ...header, uniqueKeyQuery })
    const found = messagesOf(answer).map((message) => message.properties.get('UNIQ_KEY')!)
    if (answer.code !== ResponseCode.QUERY_NOT_FOUND) return found
  }
}

const endings = ['stop', 'kill'] as const

test.each(endings)('messages are found by key and by id, also after a %s', async (end) => {
  const folder = tempFolder()
  const ids: string[] = []
  for (let life = 0; life < 3; life++) {
    const broker = await start({}, folder)
    const client = await broker.connect()
    if (life === 0) await createTopic(client, 'T')
    for (let nth = 0; nth < 100; nth++) ids.push(await send(client, ids.length))
    for (let nth = life === 0 ? 0 : 60; nth < ids.length; nth += 13) {
      expect(await find(client, `key-${nth}`)).toEqual([`unique-${nth}`])
      expect(await find(client, `unique-${nth}`, true)).toEqual([`unique-${nth}`])
      const { position } = decodeOffsetMessageId(ids[nth]!)
      const view = await client.ask(ViewMessageById, { offset: position })
      expect(messagesOf(view)[0]?.properties.get('UNIQ_KEY')).toBe(`unique-${nth}`)
    }
    await find(client, `key-${ids.length - 1}`) // the index has come to the last
    const newest = Array.from({ length: 64 }, (_, nth) => `unique-${ids.length - 64 + nth}`)
    expect(await find(client, 'every')).toEqual(newest)
    await broker[end]()
  }
})

test('an index that was lost is made anew while the broker runs', async () => {
  const broker = await start()
  const client = await broker.connect()
  await createTopic(client, 'T')
  for (let nth = 0; nth < 200; nth++) await send(client, nth)
  await broker.stop()
  rmSync(join(broker.store, 'index'), { recursive: true })
  const again = await (await start({}, broker.folder)).connect()
  expect(await find(again, 'key-3')).toEqual(['unique-3'])
  expect(await find(again, 'key-199')).toEqual(['unique-199'])
})

test('a position where no message begins answers that there is none', async () => {
  const client = await (await start()).connect()
  await createTopic(client, 'T')
  await send(client, 0)
  for (const offset of [1, 4, 10_000, -5, 2 ** 50]) {
    const { code } = await client.ask(ViewMessageById, { offset })
    expect([offset, code]).toEqual([offset, ResponseCode.SYSTEM_ERROR])
  }
})

test('with messageIndexEnable=false nothing is found by key, but by id', async () => {
  const client = await (await start({ messageIndexEnable: false })).connect()
  await createTopic(client, 'T')
  const { position } = decodeOffsetMessageId(await send(client, 0))
  const key = { topic: 'T', key: 'key-0', maxNum: 1, beginTimestamp: 0, endTimestamp: 2 ** 52 }
  expect((await client.ask(QueryMessage, key)).code).toBe(ResponseCode.QUERY_NOT_FOUND)
  expect((await client.ask(ViewMessageById, { offset: position })).code).toBe(0)
})
