import type { Clock } from '../base/clock.ts'
import {
  decodeCommand,
  encodeCommand,
  isResponse,
  type RemotingCommand,
} from '../protocol/remoting-command.ts'
import { requestLabel } from './answer.ts'
import type { Connection, FrameHandler } from './connection.ts'
import type { Handlers, Peer } from './handlers.ts'
import { PendingCalls } from './pending-calls.ts'
import { ConnectionError, TimeoutError } from './remoting-error.ts'

/** What the links of a client share. */
export interface LinkOwner {
  readonly clock: Clock
  /** Serves what the peer asks. */
  readonly onRequest: Handlers
  /** Calls of one link that may wait for an answer. */
  readonly pendingMax: number
  /** The link is broken: the next call needs another one. */
  forget(link: Link): void
}

/** With more than this unread by the peer, further requests wait. */
const OUTPUT_MAX = 4 * 1024 * 1024
/** A call that was given less time than this says little about the peer. */
const TELLING_TIMEOUT_MS = 1000

/** The connection of a client to one address, with all requests on it, pipelined. */
export class Link implements Peer, FrameHandler {
  readonly address: string
  readonly #owner: LinkOwner
  readonly #connection: Connection
  readonly #pending: PendingCalls
  #lastHeard: number
  #waitingForRoom: (() => void)[] = []

  constructor(address: string, owner: LinkOwner, connection: Connection) {
    this.address = address
    this.#owner = owner
    this.#connection = connection
    this.#pending = new PendingCalls(owner.clock)
    this.#lastHeard = owner.clock.now()
  }

  get id(): number {
    return this.#connection.id
  }

  get host(): Uint8Array {
    return this.#connection.remoteHost
  }

  get isOpen(): boolean {
    return this.#connection.isOpen
  }

  /** Rejects with TimeoutError or ConnectionError. */
  invoke(request: RemotingCommand, timeoutMs: number): Promise<RemotingCommand> {
    const { opaque } = request
    const sentAt = this.#owner.clock.now()
    return new Promise((resolve, reject) => {
      const frame = encodeCommand(request)
      const refusal = this.#refusal()
      if (refusal !== null) return reject(this.#failure(request, refusal))
      this.#pending.add(opaque, {
        deadline: sentAt + timeoutMs,
        settle: resolve,
        fail: () => reject(this.#failure(request)),
        expire: () => {
          const problem = `no answer within ${timeoutMs} ms`
          reject(new TimeoutError(`${this.#label(request)}: ${problem}`))
          // Nothing at all has come since: the peer is gone and the system does not know it.
          if (timeoutMs >= TELLING_TIMEOUT_MS && this.#lastHeard < sentAt) this.close(problem)
        },
      })
      this.#whenRoom(() => {
        if (this.#pending.has(opaque)) this.#connection.send(frame)
      })
    })
  }

  /** Resolves when the request is on its way. Rejects with ConnectionError. */
  oneway(request: RemotingCommand): Promise<void> {
    return new Promise((resolve, reject) => {
      const frame = encodeCommand(request)
      const refusal = this.#refusal()
      if (refusal !== null) return reject(this.#failure(request, refusal))
      this.#whenRoom(() => {
        if (!this.isOpen) return reject(this.#failure(request))
        this.#connection.send(frame)
        resolve()
      })
    })
  }

  send(command: RemotingCommand): void {
    this.#connection.send(encodeCommand(command))
  }

  close(reason: string): void {
    this.#connection.close(reason)
  }

  onFrame(_: Connection, bytes: Buffer, start: number, end: number): void {
    this.#lastHeard = this.#owner.clock.now()
    const command = decodeCommand(bytes.subarray(start, end))
    if (command.body !== null) command.body = Buffer.from(command.body) // the frame is gone after this call
    if (isResponse(command)) this.#pending.settle(command)
    else void this.#serve(command)
  }

  onDrain(): void {
    for (const go of this.#takeWaiting()) this.#whenRoom(go)
  }

  onClose(): void {
    this.#owner.forget(this)
    this.#pending.failAll()
    for (const go of this.#takeWaiting()) go()
  }

  async #serve(request: RemotingCommand): Promise<void> {
    const response = await this.#owner.onRequest.answer(request, this)
    if (response !== null) this.send(response)
  }

  #whenRoom(go: () => void): void {
    if (this.#connection.pendingBytes > OUTPUT_MAX) this.#waitingForRoom.push(go)
    else go()
  }

  #takeWaiting(): (() => void)[] {
    const waiting = this.#waitingForRoom
    this.#waitingForRoom = []
    return waiting
  }

  /** Why nothing more is taken on; null when something is. */
  #refusal(): string | null {
    const { pendingMax } = this.#owner
    if (!this.isOpen) return this.#connection.closeReason
    const isFull = this.#pending.count >= pendingMax || this.#waitingForRoom.length >= pendingMax
    return isFull ? `${pendingMax} requests wait already` : null
  }

  #failure(request: RemotingCommand, reason = this.#connection.closeReason): ConnectionError {
    return new ConnectionError(`${this.#label(request)}: ${reason}`)
  }

  #label({ code }: RemotingCommand): string {
    return `${requestLabel(code)} to ${this.address}`
  }
}
