import type { Socket } from 'node:net'

import type { Clock } from '../base/clock.ts'
import { FrameError } from '../protocol/frame.ts'
import type { OnBytes } from './accepted-socket.ts'
import { formatAddress, hostBytes, plainHost } from './address.ts'
import { type Allowance, FrameCutter, type FrameSink } from './frame-cutter.ts'

/** What one connection may cost. Bytes and milliseconds. */
export interface ConnectionLimits {
  /** With more output than this unread by the peer, nothing more is read from it. */
  outputMax: number
  /** With more than this it is cut off. */
  outputHardMax: number
  /** An incomplete frame must be complete after this long. */
  partialMs: number
  /** A connection on which nothing moves for this long is closed. */
  idleMs: number
}

/** Receives what happens on connections. Everything is called on the connection's own thread. */
export interface FrameHandler {
  /** One frame: `bytes[start, end)`, its length prefix excluded. Valid only during the call. */
  onFrame(connection: Connection, bytes: Buffer, start: number, end: number): void
  /** Once, after the last `onFrame`. From here on the kernel reads no buffer given to `send`. */
  onClose(connection: Connection): void
  /** Bytes that `send` left pending have reached the kernel. Read `handedOver` to know how many. */
  onDrain?(connection: Connection): void
}

/** What the connections of a thread share. */
export interface ConnectionGroup {
  readonly limits: ConnectionLimits
  readonly allowance: Allowance
  readonly clock: Clock
  /** `connection` has a deadline that may be earlier than any known so far. */
  watch(deadline: number): void
  forget(connection: Connection): void
}

const NOTHING = Buffer.alloc(0)

/** Why reading stands still. Both may hold at once. */
const PAUSED_BY_OWNER = 1
const PAUSED_BY_OUTPUT = 2

/**
 * One TCP connection: frames in, bytes out.
 *
 * Output is not copied: `send` gives the bytes to the kernel at once, or, when the peer reads too
 * slowly, leaves them where they are. A caller that wants to reuse its buffer looks at the answer.
 */
export class Connection implements FrameSink {
  readonly id: number
  /** `ip:port` of the peer. */
  readonly remoteAddress: string
  readonly remotePort: number
  /** 4 or 16 bytes. */
  readonly remoteHost: Uint8Array
  readonly #group: ConnectionGroup
  readonly #socket: Socket
  readonly #cutter: FrameCutter
  #handler: FrameHandler = NOBODY
  #paused = 0
  #sent = 0
  #lastActive: number
  #drainAwaited = false
  #closeReason: string | null = null

  /** `open` gives the socket its reader: bytes arrive through what it is handed. */
  constructor(id: number, group: ConnectionGroup, open: (onBytes: OnBytes) => Socket) {
    this.id = id
    this.#group = group
    this.#cutter = new FrameCutter(this, group.allowance)
    this.#lastActive = group.clock.now()
    this.#socket = open((length, bytes) => this.#onBytes(length, bytes))
    const host = plainHost(this.#socket.remoteAddress ?? '0.0.0.0') // absent: the peer has gone already
    this.remotePort = this.#socket.remotePort ?? 0
    this.remoteAddress = formatAddress({ host, port: this.remotePort })
    this.remoteHost = hostBytes(host)
    this.#socket.setNoDelay(true)
    this.#socket.on('error', (error) => this.#noteReason(error.message))
    this.#socket.once('end', () => this.#noteReason('closed by the peer'))
    this.#socket.once('close', () => this.#onClosed())
  }

  /** Who gets the frames. Set before the turn ends in which the connection was made. */
  set handler(handler: FrameHandler) {
    this.#handler = handler
  }

  get localAddress(): string {
    const { localAddress = '0.0.0.0', localPort = 0 } = this.#socket
    return formatAddress({ host: plainHost(localAddress), port: localPort })
  }

  /** Why it was closed; null while it is open. */
  get closeReason(): string | null {
    return this.#closeReason
  }

  get isOpen(): boolean {
    return this.#closeReason === null
  }

  /** Bytes given to `send` that the kernel may still have to read from their buffers. */
  get pendingBytes(): number {
    return this.#socket.writableLength
  }

  /** Bytes given to `send` since the connection was made. */
  get sent(): number {
    return this.#sent
  }

  /** How many of `sent`, in order, have reached the kernel. Their buffers are the caller's again. */
  get handedOver(): number {
    return this.#sent - this.#socket.writableLength
  }

  /** When bytes last moved in either direction, by the group's clock. */
  get lastActive(): number {
    return this.#lastActive
  }

  /**
   * Writes `bytes` without copying. True: the kernel has them, or nobody needs them any more, and
   * their buffer may be reused at once. False: not before `handedOver` has passed them, or
   * `onClose`.
   */
  send(bytes: Uint8Array): boolean {
    // A peer that only stopped sending may still be reading what it was given before.
    if (this.#closeReason !== null) return this.#isDone()
    this.#sent += bytes.length
    this.#socket.write(bytes)
    if (this.#socket.writableCorked === 0) return this.#settle()
    this.#checkPending()
    return false
  }

  /** Until `uncork`, `send` only collects: many slices leave in one system call. */
  cork(): void {
    this.#socket.cork()
  }

  /** Answers as `send` does, for everything sent since `cork`. */
  uncork(): boolean {
    this.#socket.uncork()
    return this.#closeReason !== null ? this.#isDone() : this.#settle()
  }

  /** No `onFrame` from here on, not even for frames that have arrived already. */
  pause(): void {
    this.#stopReading(PAUSED_BY_OWNER)
  }

  /** Undoes `pause`. Frames that waited are handed out during the call. */
  resume(): void {
    this.#startReading(PAUSED_BY_OWNER)
  }

  /** Ends it at once: pending output is dropped. */
  close(reason: string): void {
    this.#noteReason(reason)
    this.#socket.destroy()
  }

  /** Ends it once the peer has read what was sent, or by the idle deadline. */
  closeWhenSent(reason: string): void {
    this.#noteReason(reason)
    this.#socket.destroySoon()
  }

  /** When something must have happened, by the group's clock. */
  get deadline(): number {
    const { idleMs, partialMs } = this.#group.limits
    const since = this.#cutter.waitingSince
    const idle = this.#lastActive + idleMs
    return since === 0 ? idle : Math.min(idle, since + partialMs)
  }

  /** Its deadline has passed. */
  expire(now: number): void {
    const { idleMs, partialMs } = this.#group.limits
    const isIdle = this.#lastActive + idleMs <= now
    this.close(isIdle ? `idle for ${idleMs} ms` : `a frame incomplete for ${partialMs} ms`)
  }

  /** Only for the cutter. */
  onFrame(bytes: Buffer, start: number, end: number): void {
    this.#handler.onFrame(this, bytes, start, end)
  }

  #onBytes(length: number, bytes: Buffer): boolean {
    const now = this.#group.clock.now()
    this.#lastActive = now
    try {
      this.#cutter.feed(bytes, length, now)
    } catch (error) {
      this.#refuse(error)
    }
    if (this.#cutter.waitingSince === now) this.#group.watch(this.deadline)
    return true
  }

  /** Bytes that are no frame end the connection; any other error is a bug and goes on its way. */
  #refuse(error: unknown): void {
    if (!(error instanceof FrameError)) throw error
    this.close(error.message)
  }

  #isDone(): boolean {
    return this.#socket.destroyed || this.#socket.writableLength === 0
  }

  #settle(): boolean {
    if (this.#socket.writableLength === 0) {
      this.#lastActive = this.#group.clock.now()
      this.#startReading(PAUSED_BY_OUTPUT)
      return true
    }
    this.#checkPending()
    this.#awaitDrain()
    return false
  }

  #checkPending(): void {
    const { outputMax, outputHardMax } = this.#group.limits
    const pending = this.#socket.writableLength
    if (pending > outputHardMax) this.close(`reads too slowly: ${pending} bytes wait for it`)
    else if (pending > outputMax) this.#stopReading(PAUSED_BY_OUTPUT)
  }

  /** An empty write is called back when all bytes before it are gone; 'drain' has a threshold. */
  #awaitDrain(): void {
    if (this.#drainAwaited || this.#closeReason !== null) return
    this.#drainAwaited = true
    this.#socket.write(NOTHING, (error) => {
      if (!error) this.#onDrained()
    })
  }

  #onDrained(): void {
    this.#drainAwaited = false
    this.#lastActive = this.#group.clock.now()
    this.#handler.onDrain?.(this)
    if (this.#socket.writableLength <= this.#group.limits.outputMax) {
      this.#startReading(PAUSED_BY_OUTPUT)
    }
    if (this.#socket.writableLength > 0) this.#awaitDrain()
  }

  #stopReading(reason: number): void {
    if (this.#paused === 0) {
      this.#cutter.pause()
      this.#socket.pause()
    }
    this.#paused |= reason
  }

  #startReading(reason: number): void {
    if ((this.#paused & reason) === 0) return
    this.#paused &= ~reason
    if (this.#paused !== 0 || this.#closeReason !== null) return
    this.#socket.resume()
    try {
      this.#cutter.resume(this.#group.clock.now())
    } catch (error) {
      this.#refuse(error)
    }
  }

  #noteReason(reason: string): void {
    if (this.#closeReason !== null) return
    this.#closeReason = reason
    this.#cutter.close()
  }

  #onClosed(): void {
    this.#noteReason('closed')
    this.#group.forget(this)
    this.#handler.onClose(this)
  }
}

const NOBODY: FrameHandler = { onFrame: () => undefined, onClose: () => undefined }
