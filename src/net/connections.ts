import { connect, type Socket } from 'node:net'

import type { Clock } from '../base/clock.ts'
import { type OnBytes, readByEvents, readInto } from './accepted-socket.ts'
import type { Endpoint } from './address.ts'
import {
  Connection,
  type ConnectionGroup,
  type ConnectionLimits,
  type FrameHandler,
} from './connection.ts'
import { Allowance } from './frame-cutter.ts'

/** Bytes one read can bring. One buffer serves all connections of a thread. */
const READ_LENGTH = 256 * 1024

export interface ConnectionsOptions extends Partial<ConnectionLimits> {
  clock: Clock
  /** Bytes of incomplete frames, over all connections. */
  partialBytesMax?: number
  /** `false` reads through 'data' events, as where Node's private parts have changed. */
  sharedRead?: boolean
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  outputMax: 4 * 1024 * 1024,
  outputHardMax: 64 * 1024 * 1024,
  partialMs: 30_000,
  idleMs: 120_000, // Apache 5.3.3, serverChannelMaxIdleTimeSeconds
}

export type HandlerFor = (connection: Connection) => FrameHandler

/**
 * The open connections of one thread, with what they share: the read buffer, the bytes that
 * incomplete frames may take, and one timer for all their deadlines. The timer is set to the
 * earliest deadline only, so that quiet connections cost no wake-ups.
 */
export class Connections implements ConnectionGroup {
  readonly limits: ConnectionLimits
  readonly allowance: Allowance
  readonly clock: Clock
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_LENGTH)
  readonly #sharedRead: boolean
  /** Sweeps come no faster than this: ten thousand deadlines close together are one sweep. */
  readonly #sweepMs: number
  readonly #open = new Set<Connection>()
  readonly #dialling = new Set<Socket>()
  #nextId = 1
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity

  constructor({ clock, partialBytesMax, sharedRead, ...limits }: ConnectionsOptions) {
    this.limits = { ...CONNECTION_LIMITS, ...limits }
    this.allowance = new Allowance(partialBytesMax ?? 128 * 1024 * 1024)
    this.clock = clock
    this.#sharedRead = sharedRead ?? true
    this.#sweepMs = Math.min(1000, this.limits.partialMs / 4, this.limits.idleMs / 4)
  }

  get count(): number {
    return this.#open.size
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#open.values()
  }

  /** Takes over a socket from a server with `pauseOnConnect`. `raw` must not be touched any more. */
  adopt(raw: Socket, handlerFor: HandlerFor): Connection {
    const read = this.#sharedRead ? readInto : readByEvents
    return this.#add(handlerFor, (onBytes) => read(raw, this.#readBuffer, onBytes))
  }

  /** Connects. Rejects with Node's system error, or when it takes longer than `timeoutMs`. */
  dial({ host, port }: Endpoint, timeoutMs: number, handlerFor: HandlerFor): Promise<Connection> {
    let receive: OnBytes = () => true
    const onread = {
      buffer: this.#readBuffer,
      callback: (length: number, bytes: Uint8Array) => receive(length, bytes as Buffer),
    }
    const socket = connect({ host, port, onread })
    const late = new Error(`no connection within ${timeoutMs} ms`)
    const timer = setTimeout(() => socket.destroy(late), timeoutMs)
    this.#dialling.add(socket)
    const settle = () => {
      clearTimeout(timer)
      this.#dialling.delete(socket)
    }
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.once('close', settle)
      socket.once('connect', () => {
        settle()
        const takeOver = (onBytes: OnBytes) => {
          receive = onBytes
          return socket
        }
        resolve(this.#add(handlerFor, takeOver))
      })
    })
  }

  /** Ends all, and those that are being dialled. */
  closeAll(reason: string): void {
    for (const socket of this.#dialling) socket.destroy(new Error(reason))
    for (const connection of this.#open) connection.close(reason)
  }

  watch(deadline: number): void {
    if (deadline >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = deadline
    this.#timer = setTimeout(() => this.#sweep(), deadline - this.clock.now()).unref()
  }

  forget(connection: Connection): void {
    this.#open.delete(connection)
    if (this.#open.size > 0) return
    clearTimeout(this.#timer)
    this.#timerAt = Infinity
  }

  #add(handlerFor: HandlerFor, open: (onBytes: OnBytes) => Socket): Connection {
    const connection = new Connection(this.#nextId++, this, open)
    this.#open.add(connection)
    connection.handler = handlerFor(connection)
    this.watch(connection.deadline)
    return connection
  }

  #sweep(): void {
    const now = this.clock.now()
    let next = Infinity
    for (const connection of this.#open) {
      if (connection.deadline <= now) connection.expire(now)
      else next = Math.min(next, connection.deadline)
    }
    this.#timerAt = Infinity
    if (next < Infinity) this.watch(Math.max(next, now + this.#sweepMs))
  }
}
