import type { Clock } from '../base/clock.ts'
import type { Peer } from '../net/handlers.ts'
import { PendingCalls } from '../net/pending-calls.ts'
import type { RemotingCommand } from '../protocol/remoting-command.ts'

/** Why a client did not answer. */
export class ClientCallError extends Error {
  override name = 'ClientCallError'
  readonly isTimeout: boolean

  constructor(message: string, isTimeout: boolean) {
    super(message)
    this.isTimeout = isTimeout
  }
}

/**
 * Calls that may be under way, to one client and to all: whoever asks for them waits, and a client that
 * does not answer must not take all places of those that wait.
 */
export interface CallLimits {
  perClient: number
  all: number
}

/** What administrators ask of clients. */
export const QUESTION_LIMITS: CallLimits = { perClient: 16, all: 256 }
/** Answers to messages: a client may wait for as many as it has sent. */
export const REPLY_LIMITS: CallLimits = { perClient: 1024, all: 4096 }

/** A client's answer names nothing but the number: no two calls of any kind may share one. */
let lastOpaque = 0

/** Requests of the broker to its clients. Each client answers for itself only: calls are kept by connection. */
export class ClientCalls {
  readonly #clock: Clock
  readonly #limits: CallLimits
  readonly #byPeer = new Map<number, PendingCalls>()

  constructor(clock: Clock, limits: CallLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Resolves with the answer, whatever its code. Rejects with ClientCallError; with FrameError when the request is too long. */
  async call(peer: Peer, request: RemotingCommand, timeoutMs: number): Promise<RemotingCommand> {
    const opaque = (lastOpaque = (lastOpaque + 1) | 0)
    this.#checkRoom(peer)
    peer.send({ ...request, opaque })
    const { promise, resolve, reject } = Promise.withResolvers<RemotingCommand>()
    const failed = (why: string, isTimeout: boolean) => {
      this.#forgetIdle(peer.id)
      reject(new ClientCallError(why, isTimeout))
    }
    this.#callsOf(peer.id).add(opaque, {
      deadline: this.#clock.now() + timeoutMs,
      settle: (answer) => {
        this.#forgetIdle(peer.id)
        resolve(answer)
      },
      fail: () => failed(`the client at ${peer.address} has gone`, false),
      expire: () => failed(`no answer from ${peer.address} in ${timeoutMs} ms`, true),
    })
    return promise
  }

  /** A client has answered something; what nobody waits for is dropped. */
  onResponse(peerId: number, response: RemotingCommand): void {
    this.#byPeer.get(peerId)?.settle(response)
  }

  connectionClosed(peerId: number): void {
    this.#byPeer.get(peerId)?.failAll()
    this.#byPeer.delete(peerId)
  }

  /** Fails what is under way. */
  close(): void {
    for (const peerId of this.#byPeer.keys()) this.connectionClosed(peerId)
  }

  /** Throws ClientCallError. */
  #checkRoom({ id, address }: Peer): void {
    const all = [...this.#byPeer.values()].reduce((sum, { count }) => sum + count, 0)
    const own = this.#byPeer.get(id)?.count ?? 0
    const { perClient, all: max } = this.#limits
    if (own < perClient && all < max) return
    const which = own < perClient ? 'clients' : `the client at ${address}`
    throw new ClientCallError(`too many requests to ${which} are open already`, false)
  }

  #callsOf(peerId: number): PendingCalls {
    let calls = this.#byPeer.get(peerId)
    if (calls === undefined) this.#byPeer.set(peerId, (calls = new PendingCalls(this.#clock)))
    return calls
  }

  #forgetIdle(peerId: number): void {
    if (this.#byPeer.get(peerId)?.count === 0) this.#byPeer.delete(peerId)
  }
}
