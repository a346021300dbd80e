import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

import { formatAddress } from './address.ts'
import type { Connections, HandlerFor } from './connections.ts'

/** Where to listen. Port 0 lets the system choose. */
export interface ListenAt {
  host: string
  port: number
  /** Several threads may listen on the port, and the kernel spreads connections over them. */
  reusePort?: boolean
}

export interface ListenerOptions {
  connections: Connections
  handlerFor: HandlerFor
  /** Further connections are closed as soon as they are accepted. */
  maxConnections: number
}

/** A port cannot be listened on. The message says which one and what to do. */
export class ListenError extends Error {
  override name = 'ListenError'
  /** As Node's own errors have it: what failed is the system, not the program. */
  readonly syscall = 'listen'
  readonly code: string
  readonly port: number

  constructor(at: ListenAt, cause: NodeJS.ErrnoException) {
    super(explain(at, cause), { cause })
    this.code = cause.code ?? 'UNKNOWN'
    this.port = at.port
  }
}

const BACKLOG = 1024 // Apache 5.3.3, NettyServerConfig; the kernel cuts it to net.core.somaxconn

/** Accepts connections into `connections`. */
export class Listener {
  readonly #options: ListenerOptions
  #server: Server | null = null
  #refused = 0

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  /** Connections closed because there were too many. */
  get refused(): number {
    return this.#refused
  }

  /** The port it listens on. Rejects with ListenError. */
  listen(at: ListenAt): Promise<number> {
    const server = createServer({ pauseOnConnect: true, noDelay: true }, (raw) => this.#accept(raw))
    this.#server = server
    return new Promise((resolve, reject) => {
      // Not once: a connection that cannot be accepted (no descriptors left) is told here, too.
      server.on('error', (error) => reject(new ListenError(at, error)))
      server.listen({ ...at, backlog: BACKLOG }, () => {
        resolve((server.address() as AddressInfo).port)
      })
    })
  }

  /** Accepts no more. Connections that are open stay so. */
  close(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (server === null) return Promise.resolve()
    return new Promise((resolve) => server.close(() => resolve()))
  }

  #accept(raw: Socket): void {
    const { connections, handlerFor, maxConnections } = this.#options
    if (connections.count < maxConnections) {
      connections.adopt(raw, handlerFor)
      return
    }
    this.#refused++
    raw.destroy()
  }
}

function explain(at: ListenAt, cause: NodeJS.ErrnoException): string {
  const advice = ADVICE[cause.code ?? '']
  return advice?.(at) ?? `cannot listen on ${formatAddress(at)}: ${cause.message}`
}

const ADVICE: Readonly<Record<string, (at: ListenAt) => string>> = {
  EADDRINUSE: (at) =>
    `${formatAddress(at)} is in use: stop the program that listens on port ${at.port}, ` +
    'or set listenPort to a free port',
  EACCES: ({ port }) =>
    `port ${port} needs more rights than this user has: set listenPort to one above 1023`,
  EADDRNOTAVAIL: ({ host }) =>
    `${host} is no address of this machine: set bindAddress to one that is, or to 0.0.0.0`,
}
