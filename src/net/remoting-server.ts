import { type Clock, monotonicClock } from '../base/clock.ts'
import { decodeCommand, isResponse, type RemotingCommand } from '../protocol/remoting-command.ts'
import { encodeOrExplain } from './answer.ts'
import type { Connection, FrameHandler } from './connection.ts'
import { Connections, type ConnectionsOptions } from './connections.ts'
import type { Handlers, Peer } from './handlers.ts'
import { type ListenAt, Listener } from './listener.ts'

export interface RemotingServerOptions extends Omit<ConnectionsOptions, 'clock'> {
  handlers: Handlers
  clock?: Clock
  maxConnections?: number
  /** Requests of one connection that may be unanswered; it is not read while there are as many. */
  inFlightMax?: number
  /** A connection has ended; no request of its peer will be answered any more. */
  onClose?: (peer: Peer) => void
}

/** Serves `handlers` on a port. */
export class RemotingServer {
  readonly connections: Connections
  readonly #listener: Listener

  constructor(options: RemotingServerOptions) {
    const { handlers, inFlightMax = 64, onClose = () => undefined } = options
    const { clock = monotonicClock, maxConnections = 65_536, ...limits } = options
    this.connections = new Connections({ ...limits, clock })
    const handlerFor = (connection: Connection) =>
      new ServerPeer(connection, { handlers, inFlightMax, onClose })
    this.#listener = new Listener({ connections: this.connections, handlerFor, maxConnections })
  }

  /** The port it listens on. Rejects with ListenError. */
  listen(at: ListenAt): Promise<number> {
    return this.#listener.listen(at)
  }

  /** Ends all connections at once and lets the port go. */
  async close(): Promise<void> {
    this.connections.closeAll('the server stops')
    await this.#listener.close()
  }
}

type Service = Required<Pick<RemotingServerOptions, 'handlers' | 'inFlightMax' | 'onClose'>>

/** One connection: its requests go to the handlers, its answers leave once per turn of the loop. */
class ServerPeer implements Peer, FrameHandler {
  readonly #connection: Connection
  readonly #service: Service
  #inFlight = 0
  #isCorked = false

  constructor(connection: Connection, service: Service) {
    this.#connection = connection
    this.#service = service
  }

  get id(): number {
    return this.#connection.id
  }

  get address(): string {
    return this.#connection.remoteAddress
  }

  get host(): Uint8Array {
    return this.#connection.remoteHost
  }

  send(command: RemotingCommand): void {
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#connection.cork()
      setImmediate(() => this.#flush())
    }
    this.#connection.send(encodeOrExplain(command))
  }

  close(reason: string): void {
    this.#connection.close(reason)
  }

  onFrame(_: Connection, bytes: Buffer, start: number, end: number): void {
    const request = decodeCommand(bytes.subarray(start, end))
    if (isResponse(request)) return // nobody here asked for anything
    if (request.body !== null) request.body = Buffer.from(request.body) // the frame is gone after this call
    this.#inFlight++
    if (this.#inFlight === this.#service.inFlightMax) this.#connection.pause()
    void this.#serve(request)
  }

  onClose(): void {
    this.#service.onClose(this)
  }

  /** An AssertionError is caught by nobody: it ends the process. */
  async #serve(request: RemotingCommand): Promise<void> {
    const response = await this.#service.handlers.answer(request, this)
    if (response !== null) this.send(response)
    this.#inFlight--
    if (this.#inFlight === this.#service.inFlightMax - 1) this.#connection.resume()
  }

  #flush(): void {
    this.#isCorked = false
    this.#connection.uncork()
  }
}
