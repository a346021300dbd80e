import { expect, test } from 'vitest'

import { AssertionError } from '../../src/base/assert.ts'
import { Handlers, type Peer } from '../../src/net/handlers.ts'
import { requestCommand } from '../../src/protocol/remoting-command.ts'
import { GetKvConfig } from '../../src/protocol/requests/namesrv-config.ts'
import { ResponseError } from '../../src/protocol/response-error.ts'

const peer: Peer = {
  id: 1,
  address: '127.0.0.1:1',
  host: new Uint8Array(4),
  send: () => undefined,
  close: () => undefined,
}
const fields = new Map([
  ['namespace', 'n'],
  ['key', 'k'],
])
const request = (flag = 0) => ({
  ...requestCommand(GetKvConfig.code, fields),
  opaque: 77,
  flag,
  serializeType: 1 as const,
})

test('a reply carries the opaque and the serialize type of its request', async () => {
  const handlers = new Handlers().on(GetKvConfig, ({ key }) => ({ header: { value: `${key}!` } }))
  expect(await handlers.answer(request(), peer)).toMatchObject({
    code: 0,
    opaque: 77,
    serializeType: 1,
    flag: 1,
    language: 'JAVA',
    version: 479,
    remark: null,
    extFields: new Map([['value', 'k!']]),
  })
})

test('a handler may take its time', async () => {
  const handlers = new Handlers().on(GetKvConfig, async () => ({ body: Buffer.from('late') }))
  expect(await handlers.answer(request(), peer)).toMatchObject({
    code: 0,
    body: Buffer.from('late'),
  })
})

test('nothing returned is success', async () => {
  const handlers = new Handlers().on(GetKvConfig, () => undefined)
  expect(await handlers.answer(request(), peer)).toMatchObject({
    code: 0,
    extFields: null,
    body: null,
  })
})

test('a thrown ResponseError is answered with its code and remark, and not reported', async () => {
  const reported: unknown[] = []
  const handlers = new Handlers((...args) => reported.push(args)).on(GetKvConfig, () => {
    throw new ResponseError('QUERY_NOT_FOUND', 'no such key')
  })
  expect(await handlers.answer(request(), peer)).toMatchObject({ code: 22, remark: 'no such key' })
  expect(reported).toEqual([])
})

test('any other error is answered with its text and reported', async () => {
  const reported: string[] = []
  const handlers = new Handlers((problem) => reported.push(problem)).on(GetKvConfig, async () => {
    throw new TypeError('x is not a function')
  })
  const answer = await handlers.answer(request(), peer)
  expect(answer).toMatchObject({ code: 1, remark: 'TypeError: x is not a function' })
  expect(reported).toEqual(['GET_KV_CONFIG failed'])
})

test('a broken assertion is not answered', async () => {
  const handlers = new Handlers().on(GetKvConfig, () => {
    throw new AssertionError('never')
  })
  await expect(handlers.answer(request(), peer)).rejects.toThrow(AssertionError)
})

test('a header that lacks a field is refused by name', async () => {
  const handlers = new Handlers().on(GetKvConfig, () => undefined)
  const answer = await handlers.answer({ ...request(), extFields: null }, peer)
  expect(answer?.code).toBe(1)
  expect(answer?.remark).toMatch(/namespace is missing/)
})

test('an unknown request is answered as Apache answers it', async () => {
  const answer = await new Handlers().answer({ ...request(), code: 9999 }, peer)
  expect(answer).toMatchObject({ code: 3, remark: ' request type 9999 not supported' })
})

test('a one-way is handled and never answered, whatever comes of it', async () => {
  let handled = 0
  const reported: string[] = []
  const handlers = new Handlers((problem) => reported.push(problem)).on(GetKvConfig, () => {
    handled++
    throw new ResponseError('QUERY_NOT_FOUND', 'no such key')
  })
  expect(await handlers.answer(request(2), peer)).toBeNull()
  expect(await handlers.answer({ ...request(2), code: 9999 }, peer)).toBeNull()
  expect(handled).toBe(1)
  expect(reported).toHaveLength(1)
})
