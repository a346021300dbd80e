import { type Clock, systemClock } from '../base/clock.ts'
import type { NamesrvConfig } from '../config/namesrv.ts'
import { fewProblems } from '../log/few-problems.ts'
import type { Log } from '../log/log.ts'
import { Handlers } from '../net/handlers.ts'
import { RemotingServer } from '../net/remoting-server.ts'
import { ExpiryTimer } from './expiry-timer.ts'
import { serveKvConfig } from './handlers/kv-config.ts'
import { serveRegistration } from './handlers/registration.ts'
import { serveRoutes } from './handlers/route.ts'
import { serveServerConfig } from './handlers/server-config.ts'
import { serveTopicLists } from './handlers/topic-list.ts'
import { serveWritePermission } from './handlers/write-permission.ts'
import { KvConfig, ORDER_TOPIC_CONFIG } from './kv-config.ts'
import { LiveConfig } from './live-config.ts'
import type { Parts } from './parts.ts'
import { RouteTable } from './route-table.ts'

export interface NamesrvOptions {
  config: NamesrvConfig
  /** Instead of `bindAddress`. */
  host?: string
  /** Instead of `listenPort`; 0 lets the system choose. */
  port?: number
  clock?: Clock
  log: Log
}

export interface Namesrv {
  /** The port it listens on. */
  readonly port: number
  close(): Promise<void>
}

/** Rejects with ListenError or KvConfigError. */
export async function startNamesrv(options: NamesrvOptions): Promise<Namesrv> {
  const { config, log } = options
  const parts = makeParts(options)
  const handlers = makeHandlers(parts)
  const server = new RemotingServer({
    handlers,
    clock: parts.clock,
    maxConnections: config.maxConnections,
    idleMs: config.serverChannelMaxIdleTimeSeconds * 1000,
    onClose: (peer) => {
      for (const { brokerName, brokerAddr } of parts.table.disconnect(peer.id)) {
        log.warn({ brokerName, brokerAddr }, 'a broker is gone: its connection has ended')
      }
    },
  })
  const { host = config.bindAddress, port = config.listenPort } = options
  const boundPort = await server.listen({ host, port })
  const close = async () => {
    parts.expiry.stop()
    await server.close()
  }
  return { port: boundPort, close }
}

function makeParts({ config, clock = systemClock, log }: NamesrvOptions): Parts {
  const kv = new KvConfig(config.kvConfigPath)
  const live = new LiveConfig(config)
  const orderConfOf = (topic: string) => kv.get(ORDER_TOPIC_CONFIG, topic)
  const table = new RouteTable({ clock, rules: () => live.current, orderConfOf })
  const expiry = new ExpiryTimer({
    table,
    clock,
    intervalMs: () => live.current.scanNotActiveBrokerInterval,
    onExpired: ({ brokerName, brokerAddr, timeoutMs }) =>
      log.warn({ brokerName, brokerAddr, timeoutMs }, 'a broker is gone: it was silent too long'),
  })
  return { table, kv, config: live, expiry, clock, startedAt: clock.now(), log }
}

function makeHandlers(parts: Parts): Handlers {
  const report = (problem: string, error: unknown) => parts.log.error({ err: error }, problem)
  const handlers = new Handlers(fewProblems(report, () => parts.clock.now()))
  serveRegistration(handlers, parts)
  serveRoutes(handlers, parts)
  serveTopicLists(handlers, parts)
  serveWritePermission(handlers, parts)
  serveKvConfig(handlers, parts)
  serveServerConfig(handlers, parts)
  return handlers
}
