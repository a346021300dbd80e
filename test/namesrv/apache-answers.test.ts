import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { GetBrokerClusterInfo } from '../../src/protocol/requests/route.ts'
import { converse, type Said } from './conversation.ts'
import { openNamesrv, type OpenNamesrv } from './open-namesrv.ts'
import { scenario } from './scenario.ts'

/** Where we answer otherwise, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'a request without its field':
    'Apache takes it for an empty name; we name the field that is missing',
  'a key is put without a value': 'Apache says yes and stores nothing; we name the field',
  'clusters after refusals': 'Apache keeps an empty group for a broker that it refused',
}

const file = new URL('apache-answers.json', import.meta.url)
const apache = JSON.parse(readFileSync(file, 'utf8')) as Said[]
let opened: OpenNamesrv
let ours: Said[]

beforeAll(async () => {
  opened = await openNamesrv()
  ours = await converse(opened.address, scenario, async (step) => {
    if (step.close) await untilGone(step.via)
  })
})
afterAll(() => opened.stop())

/** The server hears of a closed connection a moment after us. */
async function untilGone(brokerAddr: string): Promise<void> {
  const client = opened.client()
  for (;;) {
    const { body } = await client.call(opened.address, GetBrokerClusterInfo, {})
    if (!Buffer.from(body!).toString().includes(brokerAddr)) return
  }
}

/** Remarks are ours where Apache's name its classes or its web site; of a SUCCESS they mean nothing. */
function comparable(said: Said): Said {
  const { remark, code, body } = said
  const isOurs = code === 0 || code === 1
  const kept = isOurs && remark !== null && !/^[a-z0-9 ]+$/.test(remark) ? 'some text' : remark
  return {
    ...said,
    remark: code === 0 ? null : (kept?.split('\n')[0] ?? null),
    body: anyBroker(body),
  }
}

/** The address that comes with the system topics is that of any broker. */
function anyBroker(body: unknown): unknown {
  const isSystemTopics = typeof body === 'object' && body !== null && 'brokerAddr' in body
  return isSystemTopics ? { ...body, brokerAddr: 'any' } : body
}

test('the conversation has as many answers as it had with Apache', () => {
  expect(ours.map(({ name }) => name)).toEqual(apache.map(({ name }) => name))
})

test.each(apache.map((said, index) => [said.name, index] as const))('%s (%i)', (name, index) => {
  const expected = comparable(apache[index]!)
  if (name in DIFFERENT) expect(comparable(ours[index]!)).not.toEqual(expected)
  else expect(comparable(ours[index]!)).toEqual(expected)
})
