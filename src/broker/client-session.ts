import type { Connection } from '../net/connection.ts'
import { encodeCommand, responseTo } from '../protocol/remoting-command.ts'
import { ResponseCode, type ResponseCodeName } from '../protocol/response-code.ts'
import type { SerializeType } from '../protocol/frame.ts'
import type { HeldPull } from './held-pulls.ts'
import { type ChunkPool, Outbox } from './outbox.ts'

/** As much as stops the reading of a connection (ConnectionLimits.outputMax). */
const CONGESTED_BYTES = 4 * 1024 * 1024

/** Whom to answer: the request's opaque and encoding. */
export interface ReplyTo {
  opaque: number
  serializeType: SerializeType
}

/** One client connection of a network worker. Addressed by main as {worker, slot, generation}. */
export class ClientSession {
  readonly connection: Connection
  readonly slot: number
  readonly generation: number
  /** The client's IP (4 or 16 bytes) and a 4-byte port, as records keep it. */
  readonly bornHost: Buffer
  /** Replies that may leave at the end of the turn. */
  readonly replies: Outbox
  /** Replies to sends, which wait for their record to be written. */
  readonly written: Outbox
  /** Replies to sends, which wait for their record to be flushed (SYNC_FLUSH). */
  readonly flushed: Outbox
  /** Whether it is on the list of sessions with replies that leave at the end of the turn. */
  isReady = false
  /** Pulls held for it right now. */
  readonly held = new Set<HeldPull>()
  /** Pulls that are answered when the client has read what it was sent before. */
  readonly deferred: { pull: HeldPull; mayHold: boolean }[] = []
  /** Main knows of it. */
  isKnown = false

  constructor(
    connection: Connection,
    address: { slot: number; generation: number },
    pool: ChunkPool,
  ) {
    this.connection = connection
    this.slot = address.slot
    this.generation = address.generation
    this.replies = new Outbox(connection, pool)
    this.written = new Outbox(connection, pool)
    this.flushed = new Outbox(connection, pool)
    const host = connection.remoteHost
    this.bornHost = Buffer.alloc(host.length + 4)
    this.bornHost.set(host)
    this.bornHost.writeInt32BE(connection.remotePort, host.length)
  }

  /** It reads more slowly than it asks: more replies would only fill memory. */
  get isCongested(): boolean {
    return this.connection.pendingBytes + this.replies.unsent > CONGESTED_BYTES
  }

  /** An answer without a header of its own: an error, mostly. */
  answer(to: ReplyTo, code: ResponseCodeName, remark: string): void {
    this.replies.put(encodeCommand(responseTo(to, ResponseCode[code], remark)))
  }

  /** What may leave, leaves. */
  flush(): void {
    this.written.sendAllowed()
    this.flushed.sendAllowed()
    this.replies.sendAll()
  }
}
