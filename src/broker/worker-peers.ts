import { AssertionError } from '../base/assert.ts'
import { hostBytes, parseAddress } from '../net/address.ts'
import { encodeOrExplain } from '../net/answer.ts'
import type { Handlers, Peer } from '../net/handlers.ts'
import { FrameError } from '../protocol/frame.ts'
import {
  decodeCommand,
  isOneway,
  isResponse,
  type RemotingCommand,
  responseTo,
} from '../protocol/remoting-command.ts'
import { ResponseCode } from '../protocol/response-code.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { Log } from '../log/log.ts'
import type { Ask } from './asks.ts'
import { readCommits, type OffsetCommit } from './offset-commits.ts'
import { LinkType, type ThreadLink } from './thread-link.ts'

/** What main does with what network workers send. */
export interface PeerEvents {
  handlers: Handlers
  onClosed(peerId: number): void
  /** A client has answered what the broker asked it. */
  onResponse(peerId: number, response: RemotingCommand): void
  onCommits(commits: OffsetCommit[]): void
  /** Makes the topic or group. Rejects when it may not be, or the disk refuses it. */
  onAsk(ask: Ask): Promise<void>
  onError: (error: unknown) => void
  log: Log
}

/** Requests of one worker's clients that may be unanswered. */
const IN_FLIGHT_MAX = 16_384
const IN_FLIGHT_BYTES_MAX = 64 * 1024 * 1024

let nextPeerId = 1

/** A client connection of another thread, as main's handlers see it. */
class WorkerPeer implements Peer {
  readonly id = nextPeerId++
  readonly address: string
  readonly host: Uint8Array
  readonly generation: number
  readonly #slot: number
  readonly #link: ThreadLink

  constructor(link: ThreadLink, at: { slot: number; generation: number; address: string }) {
    this.#link = link
    this.#slot = at.slot
    this.generation = at.generation
    this.address = at.address
    this.host = hostBytes(parseAddress(at.address).host)
  }

  /** With too much waiting for the worker it is dropped: the client times out, and asks again. */
  send(command: RemotingCommand): void {
    if (!this.#link.isFull) this.#send(LinkType.FRAME, encodeOrExplain(command))
  }

  close(reason: string): void {
    this.#send(LinkType.CLOSE, Buffer.from(reason))
  }

  #send(type: number, payload: Uint8Array): void {
    this.#link.send({ type, first: this.#slot, second: this.generation, payload })
    this.#link.flushSoon()
  }
}

/** Main's end of the link to one network worker: its connections, and their requests. */
export class WorkerPeers {
  readonly #link: ThreadLink
  readonly #events: PeerEvents
  readonly #peers = new Map<number, WorkerPeer>()
  #inFlight = 0
  #inFlightBytes = 0

  constructor(link: ThreadLink, events: PeerEvents) {
    this.#link = link
    this.#events = events
  }

  /** Takes a lot of what the worker has sent. True: there may be more, after others had their turn. */
  drain(): boolean {
    const isMore = this.#link.drain((type, first, second, payload) => {
      this.#onRecord(type, first, second, payload)
    })
    this.#link.flush()
    return isMore
  }

  #onRecord(type: number, first: number, second: number, payload: Buffer): void {
    switch (type) {
      case LinkType.OPENED: {
        const at = { slot: first, generation: second, address: payload.toString() }
        this.#peers.set(first, new WorkerPeer(this.#link, at))
        return
      }
      case LinkType.CLOSED:
        return this.#onClosed(first)
      case LinkType.COMMITS:
        return this.#events.onCommits(readCommits(payload))
      case LinkType.ASK:
        this.#onAsk(first, JSON.parse(payload.toString()) as Ask).catch(this.#events.onError)
        return
      default:
        this.#onRequest(this.#peers.get(first)!, Buffer.from(payload)).catch(this.#events.onError)
    }
  }

  #onClosed(slot: number): void {
    const peer = this.#peers.get(slot)
    if (peer === undefined) return
    this.#peers.delete(slot)
    this.#events.onClosed(peer.id)
  }

  async #onRequest(peer: WorkerPeer, frame: Buffer): Promise<void> {
    const request = decodeOrClose(peer, frame)
    if (request === null) return
    if (isResponse(request)) return this.#events.onResponse(peer.id, request)
    if (this.#isOverloaded(frame)) return refuse(peer, request)
    this.#inFlight++
    this.#inFlightBytes += frame.length
    const response = await this.#events.handlers.answer(request, peer)
    this.#inFlight--
    this.#inFlightBytes -= frame.length
    if (response !== null) peer.send(response)
  }

  #isOverloaded({ length }: Buffer): boolean {
    if (this.#inFlight === IN_FLIGHT_MAX) return true
    return this.#inFlight > 0 && this.#inFlightBytes + length > IN_FLIGHT_BYTES_MAX
  }

  async #onAsk(id: number, ask: Ask): Promise<void> {
    let code: number = ResponseCode.SUCCESS
    let remark = ''
    try {
      await this.#events.onAsk(ask)
    } catch (error) {
      if (error instanceof AssertionError) throw error
      code = error instanceof ResponseError ? error.code : ResponseCode.SYSTEM_ERROR
      remark = error instanceof ResponseError ? error.message : String(error)
    }
    const payload = Buffer.from(remark)
    this.#link.send({ type: LinkType.ANSWERED, first: id, second: code, payload })
    this.#link.flush()
  }
}

/** The worker looks for what it needs itself: it may have taken what is no frame after all. */
function decodeOrClose(peer: WorkerPeer, frame: Buffer): RemotingCommand | null {
  try {
    return decodeCommand(frame)
  } catch (error) {
    if (!(error instanceof FrameError)) throw error
    peer.close(error.message)
    return null
  }
}

function refuse(peer: WorkerPeer, request: RemotingCommand): void {
  if (isOneway(request)) return
  const why =
    '[OVERLOAD]system busy, start flow control for a while: too many requests are under way'
  peer.send(responseTo(request, ResponseCode.SYSTEM_BUSY, why))
}
