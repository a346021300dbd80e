import { onTestFinished } from 'vitest'
import { openBrokerContext } from '../../src/broker/broker-context.ts'
import { systemDisk } from '../../src/base/disk.ts'
import { LiveConfig } from '../../src/broker/live-config.ts'
import { registerHandlers } from '../../src/broker/handlers/register.ts'
import { brokerDeclaration } from '../../src/config/broker.ts'
import { loadConfig } from '../../src/config/load.ts'
import { Handlers } from '../../src/net/handlers.ts'
import { requestCommand, type RemotingCommand } from '../../src/protocol/remoting-command.ts'
import type { RequestSpec } from '../../src/protocol/request.ts'
import { MemoryLog } from './memory-log.ts'
import { MemoryMetadata } from './memory-metadata.ts'
import { MemoryPeer } from './memory-peer.ts'
import { MemoryStore } from './memory-store.ts'
import { tempFolder } from '../support/temp-folder.ts'

/** A clock that only a test moves. */
export class HandClock {
  time = 1_700_000_000_000

  now(): number {
    return this.time
  }
}

export type Setup = Record<string, string>

/** The control side of a broker on a temp folder, with store and workers in memory. */
export async function openBroker(settings: Setup = {}, storePathRootDir = tempFolder()) {
  const identity = { brokerName: 'broker-a', brokerIP1: '127.0.0.1', brokerIP2: '127.0.0.1' }
  const overrides = { storePathRootDir, ...identity, ...settings }
  const { config } = loadConfig(brokerDeclaration, { overrides, environment: {} })
  const store = new MemoryStore()
  const metadata = new MemoryMetadata()
  const clock = new HandClock()
  const log = new MemoryLog()
  const live = new LiveConfig(config, { clock, disk: systemDisk, log })
  const context = await openBrokerContext({
    address: `${config.brokerIP1}:${config.listenPort}`,
    live,
    store,
    metadata,
    clock,
    log,
  })
  let closing: Promise<void> | null = null
  const close = (): Promise<void> => (closing ??= context.close())
  onTestFinished(close)
  const handlers = new Handlers((problem, error) => log.error({ error: String(error) }, problem))
  registerHandlers(handlers, context)
  return { ...context, close, store, metadata, clock, log, handlers, folder: storePathRootDir }
}

export type TestBroker = Awaited<ReturnType<typeof openBroker>>

/** Asks as a client would. */
export async function ask<H, R>(
  { handlers }: TestBroker,
  spec: RequestSpec<H, R>,
  header: H,
  { body = null, peer = new MemoryPeer() }: { body?: Uint8Array | null; peer?: MemoryPeer } = {},
): Promise<RemotingCommand & { reply: R }> {
  const request = requestCommand(spec.code, spec.encodeHeader(header), body)
  const response = (await handlers.answer(request, peer))!
  const reply = response.code === 0 ? spec.decodeReply(response.extFields) : ({} as R)
  return { ...response, reply }
}
