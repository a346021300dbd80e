import { assert } from '../base/assert.ts'
import type { RemotingCommand } from '../protocol/remoting-command.ts'
import { isOneway, responseTo } from '../protocol/remoting-command.ts'
import type { RequestSpec } from '../protocol/request.ts'
import { ResponseCode, type ResponseCodeName } from '../protocol/response-code.ts'
import { errorResponse, notSupported, type ReportError } from './answer.ts'

/** Who sent a request, and where the answer goes. */
export interface Peer {
  /** Unique among the connections of a server. */
  readonly id: number
  /** `ip:port`. */
  readonly address: string
  /** 4 or 16 bytes. */
  readonly host: Uint8Array
  send(command: RemotingCommand): void
  close(reason: string): void
}

/** What a handler answers with. Nothing at all is SUCCESS. */
export interface Reply<R> {
  header?: R
  body?: Uint8Array | null
  /** SUCCESS when absent. */
  code?: ResponseCodeName
  remark?: string | null
}

export interface Call {
  /** Its body is valid after an await, too. */
  request: RemotingCommand
  peer: Peer
}

type Replied<R> = Reply<R> | void
/** Throws ResponseError to answer with its code and remark. */
export type Handle<H, R> = (header: H, call: Call) => Replied<R> | Promise<Replied<R>>
/** Makes the whole response itself; null answers nothing. */
export type RawHandle = (
  request: RemotingCommand,
  peer: Peer,
) => RemotingCommand | null | Promise<RemotingCommand | null>

/** Which requests are served, and by what. */
export class Handlers {
  readonly #handles = new Map<number, RawHandle>()
  readonly #report: ReportError

  /** `report` hears of errors that are no ResponseError, and of those that a one-way cannot answer. */
  constructor(report: ReportError = () => undefined) {
    this.#report = report
  }

  on<H, R>(spec: RequestSpec<H, R>, handle: Handle<H, R>): this {
    return this.serve(spec, (request, peer) => {
      const header = spec.decodeHeader(request.extFields)
      const reply = handle(header, { request, peer })
      return reply instanceof Promise
        ? reply.then((settled) => replyTo(request, spec, settled))
        : replyTo(request, spec, reply)
    })
  }

  /** A code beyond 16 bits arrives cut when the header is binary; no other code is what is left of it. */
  serve<H, R>({ code }: RequestSpec<H, R>, handle: RawHandle): this {
    if (code > 0xffff) this.register(code & 0xffff, handle)
    return this.register(code, handle)
  }

  register(code: number, handle: RawHandle): this {
    assert(!this.#handles.has(code), `request code ${code} has two handlers`)
    this.#handles.set(code, handle)
    return this
  }

  handles(code: number): boolean {
    return this.#handles.has(code)
  }

  /** The response to send, null for a one-way. Rejects only on an AssertionError, which is a bug. */
  async answer(request: RemotingCommand, peer: Peer): Promise<RemotingCommand | null> {
    const response = await this.#response(request, peer)
    return isOneway(request) ? null : response
  }

  async #response(request: RemotingCommand, peer: Peer): Promise<RemotingCommand | null> {
    const handle = this.#handles.get(request.code)
    if (handle === undefined) return notSupported(request)
    try {
      return await handle(request, peer)
    } catch (error) {
      return errorResponse(request, error, this.#report)
    }
  }
}

function replyTo<H, R>(
  request: RemotingCommand,
  spec: RequestSpec<H, R>,
  reply: Replied<R>,
): RemotingCommand {
  const { header, body = null, code = 'SUCCESS', remark = null } = reply ?? {}
  const extFields = header === undefined ? null : spec.encodeReply(header)
  return responseTo(request, ResponseCode[code], remark, extFields, body)
}
