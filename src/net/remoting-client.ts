import { type Clock, monotonicClock } from '../base/clock.ts'
import type { SerializeType } from '../protocol/frame.ts'
import type { LanguageCode } from '../protocol/language-code.ts'
import { CommandFlag, type RemotingCommand, requestCommand } from '../protocol/remoting-command.ts'
import type { RequestSpec } from '../protocol/request.ts'
import type { ResponseCodeName } from '../protocol/response-code.ts'
import { responseCodeName, ResponseError } from '../protocol/response-error.ts'
import { parseAddress } from './address.ts'
import { requestLabel } from './answer.ts'
import { Connections } from './connections.ts'
import { Handlers } from './handlers.ts'
import { Link, type LinkOwner } from './link.ts'
import { ConnectionError, TimeoutError } from './remoting-error.ts'

export interface RemotingClientOptions {
  /** What requests say of their sender. */
  language?: LanguageCode
  version?: number
  serializeType?: SerializeType
  /** Serves what servers ask of this client. */
  onRequest?: Handlers
  connectTimeoutMs?: number
  /** The connection to this address has ended: whoever is there then does not know this client. */
  onDisconnect?: (address: string) => void
  /** Requests to one address that may wait for an answer. */
  pendingMax?: number
  /** A connection on which nothing moves for this long is closed; the next request opens another. */
  idleMs?: number
  clock?: Clock
}

export interface CallOptions {
  body?: Uint8Array | null
  timeoutMs?: number
  /** Codes beside SUCCESS that are answers, not errors. */
  accept?: readonly ResponseCodeName[]
}

export interface Answer<R> {
  header: R
  body: Uint8Array | null
  response: RemotingCommand
}

/** Apache's clients wait as long, to connect and for an answer. */
const TIMEOUT_MS = 3000

/**
 * Sends requests to any address and matches their answers. One connection per address, opened by
 * the first request and by the first one after it broke; requests on it are pipelined.
 */
export class RemotingClient implements LinkOwner {
  readonly clock: Clock
  readonly onRequest: Handlers
  readonly pendingMax: number
  readonly #options: RemotingClientOptions
  readonly #connections: Connections
  readonly #lines = new Map<string, Line>()
  #nextOpaque = 0
  #isClosed = false

  constructor(options: RemotingClientOptions = {}) {
    const { clock = monotonicClock, onRequest = new Handlers(), pendingMax = 65_535 } = options
    this.clock = clock
    this.onRequest = onRequest
    this.pendingMax = pendingMax
    this.#options = options
    // A client goes on reading while its own output waits: two that stop each other would stand still.
    const limits = { outputMax: Infinity, outputHardMax: Infinity }
    const idleMs = options.idleMs ?? 120_000
    this.#connections = new Connections({ clock, idleMs, ...limits })
  }

  /**
   * Rejects with ResponseError when the answer is neither SUCCESS nor in `accept`, with TimeoutError
   * or ConnectionError when there is none; each names address and request.
   */
  async call<H, R>(
    address: string,
    spec: RequestSpec<H, R>,
    header: H,
    { body = null, timeoutMs = TIMEOUT_MS, accept = [] }: CallOptions = {},
  ): Promise<Answer<R>> {
    const request = requestCommand(spec.code, spec.encodeHeader(header), body)
    const response = await this.invoke(address, request, timeoutMs)
    if (!isAccepted(response, accept)) throw ResponseError.fromResponse(response)
    return { header: spec.decodeReply(response.extFields), body: response.body, response }
  }

  /** Sends `command` as it is but for opaque, language, version and serialize type. */
  async invoke(
    address: string,
    command: RemotingCommand,
    timeoutMs: number = TIMEOUT_MS,
  ): Promise<RemotingCommand> {
    const request = this.#signed(command)
    const startedAt = this.clock.now()
    const link = await this.#link(address, request, timeoutMs)
    const leftMs = timeoutMs - (this.clock.now() - startedAt)
    return link.invoke(request, Math.max(leftMs, 1))
  }

  /** Resolves when the request is on its way. Rejects with ConnectionError. */
  async oneway<H, R>(
    address: string,
    spec: RequestSpec<H, R>,
    header: H,
    body: Uint8Array | null = null,
  ): Promise<void> {
    const request = this.#signed(requestCommand(spec.code, spec.encodeHeader(header), body))
    request.flag |= CommandFlag.ONEWAY
    const link = await this.#link(address, request, TIMEOUT_MS)
    return link.oneway(request)
  }

  /** Ends all connections; requests that wait are rejected with ConnectionError. */
  async close(): Promise<void> {
    this.#isClosed = true
    const lines = [...this.#lines.values()]
    this.#connections.closeAll('the client was closed')
    await Promise.allSettled(lines.map(({ opening }) => opening))
  }

  forget(link: Link): void {
    if (this.#lines.get(link.address)?.link === link) this.#lines.delete(link.address)
    this.#options.onDisconnect?.(link.address)
  }

  #signed(command: RemotingCommand): RemotingCommand {
    const { language, version, serializeType } = this.#options
    const opaque = this.#nextOpaque
    this.#nextOpaque = (opaque + 1) | 0 // Java's counter wraps too
    return {
      ...command,
      opaque,
      language: language ?? command.language,
      version: version ?? command.version,
      serializeType: serializeType ?? command.serializeType,
    }
  }

  async #link(address: string, { code }: RemotingCommand, timeoutMs: number): Promise<Link> {
    const label = `${requestLabel(code)} to ${address}`
    if (this.#isClosed) throw new ConnectionError(`${label}: the client was closed`)
    const line = this.#lines.get(address)
    if (line?.link?.isOpen) return line.link
    const { opening } = line === undefined || line.link !== null ? this.#dial(address) : line
    try {
      return await within(opening, timeoutMs)
    } catch (error) {
      if (error === LATE) throw new TimeoutError(`${label}: no connection within ${timeoutMs} ms`)
      throw new ConnectionError(`${label}: ${(error as Error).message}`, { cause: error })
    }
  }

  #dial(address: string): Line {
    const line: Line = { opening: this.#open(address), link: null }
    this.#lines.set(address, line)
    line.opening.then(
      (link) => {
        line.link = link
      },
      () => {
        if (this.#lines.get(address) === line) this.#lines.delete(address)
      },
    )
    return line
  }

  async #open(address: string): Promise<Link> {
    const { connectTimeoutMs = TIMEOUT_MS } = this.#options
    const endpoint = parseAddress(address)
    let link!: Link
    await this.#connections.dial(endpoint, connectTimeoutMs, (connection) => {
      link = new Link(address, this, connection)
      return link
    })
    return link
  }
}

/** A connection that is being opened, or is open. */
interface Line {
  readonly opening: Promise<Link>
  link: Link | null
}

const LATE = new Error('late')

/** Rejects with LATE after `ms`; `promise` goes on for others. */
function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(LATE), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function isAccepted(response: RemotingCommand, accept: readonly ResponseCodeName[]): boolean {
  if (response.code === 0) return true
  const name = responseCodeName(response.code)
  return name !== null && accept.includes(name)
}
