import { createServer } from 'node:net'
import { once } from 'node:events'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Registration } from '../../src/broker/registration.ts'
import { topicConfig } from '../../src/broker/system-topics.ts'
import { Handlers } from '../../src/net/handlers.ts'
import { RemotingClient } from '../../src/net/remoting-client.ts'
import { RemotingServer } from '../../src/net/remoting-server.ts'
import { KvTable } from '../../src/protocol/bodies/kv-table.ts'
import {
  decodeRegisterBroker,
  type RegisterBrokerBody,
} from '../../src/protocol/bodies/register-broker.ts'
import type { HeaderOf } from '../../src/protocol/request.ts'
import {
  QueryDataVersion,
  RegisterBroker,
  UnregisterBroker,
} from '../../src/protocol/requests/registration.ts'
import { ResponseError } from '../../src/protocol/response-error.ts'
import { openBroker, type Setup } from './open-broker.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

type Header = HeaderOf<typeof RegisterBroker>

/** A name server that takes notes. */
class NotingNameServer {
  readonly registrations: { header: Header; body: RegisterBrokerBody; crc: number }[] = []
  readonly leaves: HeaderOf<typeof UnregisterBroker>[] = []
  versionQuestions = 0
  /** `topic → order` of its KV table. */
  ordered = new Map<string, string>()
  isRefusing = false
  isVersionChanged = false
  readonly #server: RemotingServer

  constructor() {
    const handlers = new Handlers()
      .on(RegisterBroker, (header, { request: { body, version } }) => {
        if (this.isRefusing) throw new ResponseError('SYSTEM_ERROR', 'not today')
        const { compressed } = header
        const decoded = decodeRegisterBroker(Buffer.from(body!), { compressed, version })
        this.registrations.push({ header, body: decoded, crc: crc32(body!) & 0x7fffffff })
        return { header: {}, body: KvTable.encode({ table: this.ordered }) }
      })
      .on(UnregisterBroker, (header) => void this.leaves.push(header))
      .on(QueryDataVersion, () => {
        this.versionQuestions++
        return { header: { changed: this.isVersionChanged } }
      })
    this.#server = new RemotingServer({ handlers })
  }

  async listen(port = 0): Promise<string> {
    const bound = await this.#server.listen({ host: '127.0.0.1', port })
    onTestFinished(() => this.close())
    return `127.0.0.1:${bound}`
  }

  close(): Promise<void> {
    return this.#server.close()
  }

  topics(index = -1) {
    return this.registrations.at(index)!.body.topicConfigSerializeWrapper.topicConfigTable
  }
}

async function nameServer() {
  const server = new NotingNameServer()
  return { server, address: await server.listen() }
}

/** An address at which nobody listens. */
async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return `127.0.0.1:${port}`
}

/** An address at which connections are taken and nothing is ever answered. */
async function silentAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  const sockets: { destroy(): void }[] = []
  server.on('connection', (socket) => sockets.push(socket))
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}

async function registeredAt(addresses: string[], settings: Setup = {}) {
  const broker = await openBroker({ namesrvAddr: addresses.join(';'), ...settings })
  const client = new RemotingClient()
  const registration = new Registration({
    ...broker,
    client,
    brokerAddr: '127.0.0.1:10911',
    haServerAddr: '127.0.0.1:10912',
  })
  broker.topics.announce = () => registration.announce()
  onTestFinished(async () => {
    await registration.stop()
    await client.close()
  })
  return { ...broker, registration }
}

describe('registration', () => {
  test('tells a name server who we are and what we hold', async () => {
    const { server, address } = await nameServer()
    const { registration, topics } = await registeredAt([address])
    await registration.start()
    const [{ header, body, crc }] = server.registrations as [NotingNameServer['registrations'][0]]
    expect(header).toEqual({
      brokerName: 'broker-a',
      brokerAddr: '127.0.0.1:10911',
      clusterName: 'DefaultCluster',
      haServerAddr: '127.0.0.1:10912',
      brokerId: 0,
      enableActingMaster: false,
      compressed: false,
      bodyCrc32: crc,
    })
    expect(body.topicConfigSerializeWrapper.dataVersion).toEqual(topics.dataVersion)
    expect(server.topics()).toEqual(topics.all)
  })

  test('may be compressed', async () => {
    const { server, address } = await nameServer()
    const { registration, topics } = await registeredAt([address], { compressedRegister: 'true' })
    await registration.start()
    expect(server.registrations[0]!.header.compressed).toBe(true)
    expect(server.registrations[0]!.header.bodyCrc32).toBe(server.registrations[0]!.crc)
    expect(server.topics()).toEqual(topics.all)
  })

  test('is repeated every period', async () => {
    const { server, address } = await nameServer()
    const { registration } = await registeredAt([address])
    await registration.start()
    for (let count = 2; count <= 4; count++) {
      await vi.advanceTimersByTimeAsync(30_000)
      await vi.waitUntil(() => server.registrations.length === count)
    }
  })

  test('is over before a topic change is answered', async () => {
    const { server, address } = await nameServer()
    const { registration, topics } = await registeredAt([address])
    await registration.start()
    await topics.put(topicConfig('T', 4, 6))
    expect(server.topics().get('T')).toEqual(topicConfig('T', 4, 6))
    await topics.delete('T')
    expect(server.topics().has('T')).toBe(false)
  })

  test('of many topics that change at once takes few requests', async () => {
    const { server, address } = await nameServer()
    const { registration, topics } = await registeredAt([address])
    await registration.start()
    await Promise.all(Array.from({ length: 100 }, (_, i) => topics.put(topicConfig(`T${i}`, 1, 6))))
    expect(server.topics().size).toBe(topics.all.size)
    expect(server.registrations.length).toBeLessThan(5)
  })

  test('of a broker that may not be written to takes the permission from its topics', async () => {
    const { server, address } = await nameServer()
    const { registration } = await registeredAt([address], { brokerPermission: '4' })
    await registration.start()
    expect(server.topics().get('BenchmarkTest')!.perm).toBe(4)
    expect(server.topics().get('TBW102')!.perm).toBe(4)
  })

  test('marks the topics as ordered that the name server has an order for', async () => {
    const { server, address } = await nameServer()
    server.ordered.set('T', 'broker-a:4')
    const { registration, topics } = await registeredAt([address])
    await topics.put(topicConfig('T', 4, 6))
    await vi.waitUntil(() => server.registrations.length > 0 && server.topics().get('T')?.order)
    expect(topics.get('T')!.order).toBe(true)
    await registration.stop()
  })

  test('asks for the version only, when it need not be in full each time', async () => {
    const { server, address } = await nameServer()
    const { registration, topics } = await registeredAt([address], { forceRegister: 'false' })
    await registration.start()
    await vi.advanceTimersByTimeAsync(30_000)
    await vi.waitUntil(() => server.versionQuestions === 1)
    expect(server.registrations).toHaveLength(1)
    await topics.put(topicConfig('T', 4, 6))
    expect(server.registrations).toHaveLength(2)
    server.isVersionChanged = true // it was restarted
    await vi.advanceTimersByTimeAsync(30_000)
    await vi.waitUntil(() => server.registrations.length === 3)
  })

  test('is taken back when the broker stops, and not repeated after', async () => {
    const { server, address } = await nameServer()
    const { registration, close } = await registeredAt([address])
    await registration.start()
    await registration.stop()
    const broker = { brokerName: 'broker-a', brokerAddr: '127.0.0.1:10911', brokerId: 0 }
    expect(server.leaves).toEqual([{ ...broker, clusterName: 'DefaultCluster' }])
    await registration.announce()
    await close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(server.registrations).toHaveLength(1)
  })

  test('follows a list of name servers that changes', async () => {
    const [first, second] = [await nameServer(), await nameServer()]
    const { registration } = await registeredAt([first.address])
    await registration.start()
    registration.setNameServers(second.address)
    await registration.start()
    expect(second.server.registrations).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(30_000)
    await vi.waitUntil(() => second.server.registrations.length === 2)
    expect(first.server.registrations).toHaveLength(1)
  })
})

describe('a name server that is down', () => {
  test('delays neither the others nor a topic change', async () => {
    const { server, address } = await nameServer()
    const { registration, topics } = await registeredAt([await deadAddress(), address])
    await registration.start()
    expect(server.registrations).toHaveLength(1)
    await topics.put(topicConfig('T', 4, 6)) // with timers that stand still
    expect(server.topics().has('T')).toBe(true)
  })

  test('is logged once when it goes and once when it comes back', async () => {
    const { server, address } = await nameServer()
    const { registration, log } = await registeredAt([address])
    const lines = () =>
      log.lines.filter((line) => line.includes(address)).map((line) => line.split(' ')[0])
    await registration.start()
    server.isRefusing = true
    for (let i = 0; i < 3; i++) await registration.start()
    server.isRefusing = false
    for (let i = 0; i < 3; i++) await registration.start()
    expect(lines()).toEqual(['info', 'warn', 'info'])
    expect(log.lines.find((line) => line.startsWith('warn'))).toMatch(/not today/)
  })

  test('is tried again soon, and later and later', async () => {
    const { server, address } = await nameServer()
    server.isRefusing = true
    const { registration } = await registeredAt([address])
    await registration.start()
    await vi.advanceTimersByTimeAsync(999)
    server.isRefusing = false
    expect(server.registrations).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(1)
    await vi.waitUntil(() => server.registrations.length === 1)
  })

  test('that answers nothing holds a topic change for a second at most', async () => {
    const { server, address } = await nameServer()
    const { registration, topics } = await registeredAt([await silentAddress(), address])
    void registration.start()
    const change = topics.put(topicConfig('T', 4, 6))
    await vi.waitUntil(() =>
      server.registrations.some(({ body }) =>
        body.topicConfigSerializeWrapper.topicConfigTable.has('T'),
      ),
    )
    await vi.advanceTimersByTimeAsync(1000)
    await change
  })

  test('is not waited for when the broker stops', async () => {
    const { registration } = await registeredAt([await deadAddress()])
    await registration.start()
    await registration.stop()
  })
})

test('a broker without name servers registers nowhere', async () => {
  const { registration, topics } = await registeredAt([])
  await registration.start()
  await topics.put(topicConfig('T', 4, 6))
  await registration.stop()
})
