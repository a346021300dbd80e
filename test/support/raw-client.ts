import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { FrameCutter, Allowance } from '../../src/net/frame-cutter.ts'
import { SerializeType } from '../../src/protocol/frame.ts'
import {
  CommandFlag,
  decodeCommand,
  encodeCommand,
  isResponse,
  requestCommand,
  responseTo,
  type RemotingCommand,
} from '../../src/protocol/remoting-command.ts'
import type { RequestSpec } from '../../src/protocol/request.ts'

/** How one request is to be written. */
export interface RequestOptions {
  body?: Uint8Array | null
  oneway?: boolean
  serializeType?: SerializeType
}

/** What came back: the header of the reply is decoded whatever its code, if it has one. */
export interface Answer<R> extends RemotingCommand {
  reply: R
}

interface Waiter {
  resolve: (command: RemotingCommand) => void
  reject: (error: Error) => void
}

/** One socket that speaks the protocol and hides nothing: bytes out, frames in. */
export class RawClient {
  readonly socket: Socket
  /** Everything that came, in the order it came. Bodies are copies. */
  readonly received: RemotingCommand[] = []
  /** Settles when the connection has ended, from either side. */
  readonly closed: Promise<void>
  serializeType: SerializeType = SerializeType.JSON
  #isClosed = false
  #nextOpaque = 1
  readonly #waiting = new Map<number, Waiter>()
  readonly #arrived = new Map<number, RemotingCommand>()

  private constructor(socket: Socket) {
    this.socket = socket
    const onFrame = (bytes: Buffer, start: number, end: number) => {
      this.#receive(decodeCommand(Buffer.from(bytes.subarray(start, end))))
    }
    const cutter = new FrameCutter({ onFrame }, new Allowance(2 ** 40))
    socket.on('data', (bytes: Buffer) => cutter.feed(bytes, bytes.length, Date.now()))
    socket.on('error', () => undefined) // 'close' follows and says all that a test wants to know
    this.closed = new Promise<void>((resolve) => socket.once('close', () => resolve())).then(() =>
      this.#onClosed(),
    )
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, noDelay: true })
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** The bytes of a request, and the opaque it will be answered under. Nothing is sent. */
  frame<H, R>(
    spec: RequestSpec<H, R>,
    header: H,
    options: RequestOptions = {},
  ): { opaque: number; bytes: Buffer } {
    const { body = null, oneway = false, serializeType = this.serializeType } = options
    const opaque = this.#nextOpaque++
    const command = requestCommand(spec.code, spec.encodeHeader(header), body)
    const flag = oneway ? CommandFlag.ONEWAY : 0
    return { opaque, bytes: encodeCommand({ ...command, opaque, flag, serializeType }) }
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  /** Sends a request; returns its opaque. */
  send<H, R>(spec: RequestSpec<H, R>, header: H, options?: RequestOptions): number {
    const { opaque, bytes } = this.frame(spec, header, options)
    this.write(bytes)
    return opaque
  }

  /** Sends a request and waits for what it is answered with. Rejects when the connection ends. */
  async ask<H, R>(
    spec: RequestSpec<H, R>,
    header: H,
    options?: RequestOptions,
  ): Promise<Answer<Partial<R>>> {
    const response = await this.replyTo(this.send(spec, header, options))
    return { ...response, reply: decodeReply(spec, response) }
  }

  /** The reply to a request that was sent. */
  replyTo(opaque: number): Promise<RemotingCommand> {
    const command = this.#arrived.get(opaque)
    if (command !== undefined) {
      this.#arrived.delete(opaque)
      return Promise.resolve(command)
    }
    if (this.#isClosed) return Promise.reject(new Error('the connection is closed'))
    return new Promise((resolve, reject) => this.#waiting.set(opaque, { resolve, reject }))
  }

  /** The broker's next request with this code, from `after` on in `received`. */
  async asked(code: number, after = 0): Promise<RemotingCommand> {
    for (;;) {
      const found = this.received
        .slice(after)
        .find((each) => each.code === code && !isResponse(each))
      if (found !== undefined) return found
      await once(this.socket, 'data')
    }
  }

  /** Answers what the broker has asked. */
  respond(request: RemotingCommand, code = 0, remark: string | null = null): void {
    this.write(encodeCommand(responseTo(request, code, remark)))
  }

  close(): void {
    this.socket.destroy()
  }

  #receive(command: RemotingCommand): void {
    this.received.push(command)
    if (!isResponse(command)) return // what the broker asks has numbers of its own
    const waiter = this.#waiting.get(command.opaque)
    if (waiter === undefined) {
      this.#arrived.set(command.opaque, command)
      return
    }
    this.#waiting.delete(command.opaque)
    waiter.resolve(command)
  }

  #onClosed(): void {
    this.#isClosed = true
    for (const { reject } of this.#waiting.values()) reject(new Error('the connection is closed'))
    this.#waiting.clear()
  }
}

/** Errors have no header, and some answers only a part of it. */
function decodeReply<H, R>(spec: RequestSpec<H, R>, response: RemotingCommand): Partial<R> {
  return response.extFields === null ? {} : spec.decodeReply(response.extFields)
}
