import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'

import { Handlers, type Peer } from '../../src/net/handlers.ts'
import { RemotingClient, type RemotingClientOptions } from '../../src/net/remoting-client.ts'
import { ConnectionError, TimeoutError } from '../../src/net/remoting-error.ts'
import { RemotingServer, type RemotingServerOptions } from '../../src/net/remoting-server.ts'
import { encodeCommand, requestCommand } from '../../src/protocol/remoting-command.ts'
import { GetKvConfig, PutKvConfig } from '../../src/protocol/requests/namesrv-config.ts'
import { ResponseError } from '../../src/protocol/response-error.ts'
import { frameOf, rawFrame } from './frames.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const local = { host: '127.0.0.1', port: 0 }

async function serve(handlers: Handlers, options: Partial<RemotingServerOptions> = {}) {
  const server = new RemotingServer({ ...options, handlers })
  cleanups.push(() => server.close())
  const port = await server.listen(local)
  return { server, port, address: `127.0.0.1:${port}` }
}

function openClient(options?: RemotingClientOptions): RemotingClient {
  const client = new RemotingClient(options)
  cleanups.push(() => client.close())
  return client
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  cleanups.push(() => socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** A server that takes connections and does what `onData` says. */
async function dumbServer(onData: (socket: Socket, bytes: Buffer) => void): Promise<string> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => onData(socket, bytes))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const key = { namespace: 'n', key: 'k' }
const echo = () => new Handlers().on(GetKvConfig, (header) => ({ header: { value: header.key } }))

test('a call brings the header and the body of the answer', async () => {
  const handlers = new Handlers().on(PutKvConfig, ({ value }, { request }) => ({
    body: Buffer.concat([Buffer.from(value), request.body!]),
  }))
  const { address } = await serve(handlers)
  const body = Buffer.alloc(3_000_000, 5)
  const answer = await openClient().call(address, PutKvConfig, { ...key, value: 'x' }, { body })
  expect(answer.body!.length).toBe(3_000_001)
  expect(answer.response.language).toBe('JAVA')
})

test('calls are pipelined on one connection and matched by opaque, whatever their order', async () => {
  const held: ((reply: { header: { value: string } }) => void)[] = []
  const names: string[] = []
  const handlers = new Handlers().on(GetKvConfig, (header) => {
    names.push(header.key)
    return new Promise((resolve) => {
      held.push(resolve)
      if (held.length < 10) return
      for (const index of [7, 3, 9, 0, 1, 2, 4, 8, 6, 5])
        held[index]!({ header: { value: names[index]! } })
    })
  })
  const { address, server } = await serve(handlers)
  const client = openClient({ serializeType: 1 })
  const keys = Array.from({ length: 10 }, (_, index) => `key-${index}`)
  const answers = await Promise.all(
    keys.map((name) => client.call(address, GetKvConfig, { ...key, key: name })),
  )
  expect(answers.map(({ header }) => header.value)).toEqual(keys)
  expect(server.connections.count).toBe(1)
})

test('an answer that is no success is thrown, unless it is accepted', async () => {
  const handlers = new Handlers().on(GetKvConfig, () => {
    throw new ResponseError('QUERY_NOT_FOUND', 'no such key')
  })
  const { address } = await serve(handlers)
  const client = openClient()
  await expect(client.call(address, GetKvConfig, key)).rejects.toMatchObject({
    name: 'ResponseError',
    codeName: 'QUERY_NOT_FOUND',
    message: 'no such key',
  })
  const { response } = await client.call(address, GetKvConfig, key, { accept: ['QUERY_NOT_FOUND'] })
  expect(response.code).toBe(22)
})

test('a call without an answer in time names request and address', async () => {
  const address = await dumbServer(() => undefined)
  const client = openClient()
  await client.oneway(address, GetKvConfig, key) // so that the connection is there
  const call = client.call(address, GetKvConfig, key, { timeoutMs: 30 })
  await expect(call).rejects.toThrow(TimeoutError)
  await expect(call).rejects.toThrow(`GET_KV_CONFIG to ${address}: no answer within`)
})

test('where nobody listens, the error names request and address', async () => {
  const address = await dumbServer(() => undefined)
  await cleanups.pop()!()
  const call = openClient().call(address, GetKvConfig, key)
  await expect(call).rejects.toThrow(ConnectionError)
  await expect(call).rejects.toThrow(`GET_KV_CONFIG to ${address}: connect ECONNREFUSED`)
  await expect(openClient().call('nowhere', GetKvConfig, key)).rejects.toThrow(/no address/)
})

test('a connection that breaks fails its calls at once, and the next call opens another', async () => {
  let isFirst = true
  const reply = (bytes: Buffer) => {
    const { opaque } = JSON.parse(bytes.subarray(8).toString()) as { opaque: number }
    return encodeCommand({ ...requestCommand(0, new Map([['value', 'v']])), opaque, flag: 1 })
  }
  const address = await dumbServer((socket, bytes) => {
    if (isFirst) socket.destroy()
    else socket.write(reply(bytes))
    isFirst = false
  })
  const client = openClient()
  const broken = [client.call(address, GetKvConfig, key), client.call(address, GetKvConfig, key)]
  for (const call of broken) await expect(call).rejects.toThrow(ConnectionError)
  expect((await client.call(address, GetKvConfig, key)).header.value).toBe('v')
})

test('calls during the dial share the connection', async () => {
  const { address, server } = await serve(echo())
  const client = openClient()
  await Promise.all([1, 2, 3].map(() => client.call(address, GetKvConfig, key)))
  expect(server.connections.count).toBe(1)
})

test('closing the client rejects what waits and what comes', async () => {
  const address = await dumbServer(() => undefined)
  const client = openClient()
  const call = client.call(address, GetKvConfig, key)
  const rejected = expect(call).rejects.toThrow(/the client was closed/)
  await client.close()
  await rejected
  await expect(client.call(address, GetKvConfig, key)).rejects.toThrow(ConnectionError)
})

test('more than the allowed number of waiting calls are refused', async () => {
  const address = await dumbServer(() => undefined)
  const client = openClient({ pendingMax: 2 })
  await client.oneway(address, GetKvConfig, key)
  const waiting = [1, 2].map(() => client.call(address, GetKvConfig, key, { timeoutMs: 200 }))
  const settled = Promise.allSettled(waiting)
  await expect(client.call(address, GetKvConfig, key)).rejects.toThrow(/2 requests wait already/)
  expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})

test('a one-way is handled and not answered', async () => {
  let handle: (name: string) => void
  const handled = new Promise<string>((resolve) => {
    handle = resolve
  })
  const handlers = new Handlers().on(GetKvConfig, (header) => handle(header.key))
  const { address } = await serve(handlers)
  await openClient().oneway(address, GetKvConfig, key)
  expect(await handled).toBe('k')
})

test('the server may ask the client on the same connection', async () => {
  const peers: Peer[] = []
  const handlers = new Handlers().on(GetKvConfig, (_, { peer }) => {
    peers.push(peer)
    peer.send(requestCommand(PutKvConfig.code, PutKvConfig.encodeHeader({ ...key, value: 'v' })))
  })
  const { address } = await serve(handlers)
  let asked: (value: string) => void
  const value = new Promise<string>((resolve) => {
    asked = resolve
  })
  const onRequest = new Handlers().on(PutKvConfig, (header, { peer }) => {
    expect(peer.address).toBe(address)
    asked(header.value)
  })
  await openClient({ onRequest }).call(address, GetKvConfig, key)
  expect(await value).toBe('v')
})

test('a sender that is not read waits, and everything arrives in the end', async () => {
  let bytes = 0
  const handlers = new Handlers().on(GetKvConfig, (_, { request }) => {
    bytes += request.body!.length
  })
  const { address } = await serve(handlers)
  const client = openClient()
  const body = Buffer.alloc(1024 * 1024)
  await Promise.all(
    Array.from({ length: 40 }, () =>
      client.call(address, GetKvConfig, key, { body, timeoutMs: 30_000 }),
    ),
  )
  expect(bytes).toBe(40 * body.length)
})

test('answers over the frame maximum become an error that says so', async () => {
  const handlers = new Handlers().on(GetKvConfig, () => ({ body: Buffer.alloc(17 * 1024 * 1024) }))
  const { address } = await serve(handlers)
  await expect(openClient().call(address, GetKvConfig, key)).rejects.toThrow(/frame of/)
})

test('a peer with too many unanswered requests is not read', async () => {
  const held: (() => void)[] = []
  let reached: () => void
  const atLimit = new Promise<void>((resolve) => {
    reached = resolve
  })
  const handlers = new Handlers().on(GetKvConfig, () => {
    const reply = new Promise<void>((resolve) => void held.push(resolve))
    if (held.length === 4) reached()
    return reply
  })
  const { port } = await serve(handlers, { inFlightMax: 4 })
  const peer = await dial(port)
  const fields = GetKvConfig.encodeHeader(key)
  const request = encodeCommand(requestCommand(GetKvConfig.code, fields))
  peer.write(Buffer.concat(Array.from({ length: 10 }, () => request)))
  await atLimit
  await new Promise((resolve) => setImmediate(resolve))
  expect(held).toHaveLength(4)
  let answers = 0
  peer.on('data', (bytes: Buffer) => {
    answers += bytes.toString('latin1').split('"code":0').length - 1
  })
  while (answers < 10) {
    for (const release of held.splice(0)) release()
    await new Promise((resolve) => setImmediate(resolve))
  }
})

test('a response that nobody asked for is ignored', async () => {
  const { port, address } = await serve(echo())
  const peer = await dial(port)
  peer.write(encodeCommand({ ...requestCommand(0), flag: 1 }))
  expect((await openClient().call(address, GetKvConfig, key)).header.value).toBe('k')
  peer.write(frameOf(1))
  const [bytes] = (await once(peer, 'data')) as [Buffer]
  expect(bytes.toString('latin1')).toContain('request type 105 not supported')
})

test.each([
  ['a frame without an end', rawFrame({ length: -1 })],
  [
    'a header that is no JSON',
    Buffer.concat([rawFrame({ length: 7, header: 3 }), Buffer.from('{{{')]),
  ],
  [
    'a binary header cut short',
    Buffer.concat([rawFrame({ length: 7, type: 1, header: 3 }), Buffer.of(0, 1, 2)]),
  ],
])('%s closes its connection without an answer', async (_, bytes) => {
  const { port, address, server } = await serve(echo())
  const client = openClient()
  await client.call(address, GetKvConfig, key)
  const liar = await dial(port)
  const answers: Buffer[] = []
  liar.on('data', (data: Buffer) => answers.push(data))
  liar.write(bytes)
  await once(liar, 'close')
  expect(answers).toEqual([])
  await client.call(address, GetKvConfig, key)
  expect(server.connections.count).toBe(1)
})

test('onClose is told of a peer that left', async () => {
  let left: (peer: Peer) => void
  const gone = new Promise<Peer>((resolve) => {
    left = resolve
  })
  const { port } = await serve(echo(), { onClose: (peer) => left(peer) })
  const peer = await dial(port)
  const address = `127.0.0.1:${peer.localPort}`
  peer.destroy()
  expect((await gone).address).toBe(address)
})
