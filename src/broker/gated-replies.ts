import { PREFIX_LENGTH, type SerializeType } from '../protocol/frame.ts'
import { decodeCommand, encodeCommand } from '../protocol/remoting-command.ts'
import { ResponseCode } from '../protocol/response-code.ts'
import type { ClientSession } from './client-session.ts'

/** For what a reply to a send waits, and what is needed to answer something else instead. */
export interface Gate {
  /** Position behind the record: the reply may leave when the gate has passed it. */
  position: number
  /** Where the reply lies in the session's gated outbox; empty for a one-way. */
  replyStart: number
  replyEnd: number
  opaque: number
  serializeType: SerializeType
  /** When it is answered otherwise, ms by the monotonic clock. */
  deadlineMs: number
  /** It waits for `flushed`, not only for `written`. */
  mustFlush: boolean
}

/** A reply that was taken out before its time. */
export interface GatedReply extends Omit<Gate, 'mustFlush'> {
  session: ClientSession
}

/**
 * What a prepared reply becomes when its record is written but not flushed in time. The record is
 * stored: clients read the same header as with an OK (Apache 5.3.3, SendMessageProcessor).
 */
export function flushTimeout(prepared: Buffer): Buffer {
  const reply = decodeCommand(prepared.subarray(PREFIX_LENGTH))
  return encodeCommand({ ...reply, code: ResponseCode.FLUSH_DISK_TIMEOUT })
}

/**
 * Replies to sends in the order of their records, as columns: no object per message. A thread
 * appends in order, so whatever the gate has passed is at the front.
 */
export class GatedReplies {
  readonly #sessions: ClientSession[] = []
  readonly #positions: number[] = []
  readonly #replyStarts: number[] = []
  readonly #replyEnds: number[] = []
  readonly #opaques: number[] = []
  readonly #serializeTypes: SerializeType[] = []
  readonly #deadlines: number[] = []
  #head = 0

  get isEmpty(): boolean {
    return this.#head === this.#sessions.length
  }

  add(session: ClientSession, gate: Gate): void {
    this.#sessions.push(session)
    this.#positions.push(gate.position)
    this.#replyStarts.push(gate.replyStart)
    this.#replyEnds.push(gate.replyEnd)
    this.#opaques.push(gate.opaque)
    this.#serializeTypes.push(gate.serializeType)
    this.#deadlines.push(gate.deadlineMs)
  }

  /** Calls back for every reply whose record lies below the gate. */
  release(gate: number, ready: (session: ClientSession, replyEnd: number) => void): void {
    const count = this.#sessions.length
    while (this.#head < count && this.#positions[this.#head]! <= gate) {
      ready(this.#sessions[this.#head]!, this.#replyEnds[this.#head]!)
      this.#head++
    }
    this.#compact()
  }

  /** Takes out every reply whose time is over. */
  takeExpired(now: number, each: (reply: GatedReply) => void): void {
    while (!this.isEmpty && this.#deadlines[this.#head]! <= now) {
      each(this.#at(this.#head))
      this.#head++
    }
    this.#compact()
  }

  /** The gate that the first one waits for; Infinity when there is none. */
  firstPosition(): number {
    return this.isEmpty ? Infinity : this.#positions[this.#head]!
  }

  /** When the first one's time is over; Infinity when there is none. */
  nextDeadline(): number {
    return this.isEmpty ? Infinity : this.#deadlines[this.#head]!
  }

  #at(index: number): GatedReply {
    return {
      session: this.#sessions[index]!,
      position: this.#positions[index]!,
      replyStart: this.#replyStarts[index]!,
      replyEnd: this.#replyEnds[index]!,
      opaque: this.#opaques[index]!,
      serializeType: this.#serializeTypes[index]!,
      deadlineMs: this.#deadlines[index]!,
    }
  }

  /** Gives the front's memory back once it is worth it. */
  #compact(): void {
    if (this.#head === 0 || this.#head * 2 < this.#sessions.length) return
    const columns = [
      this.#sessions,
      this.#positions,
      this.#replyStarts,
      this.#replyEnds,
      this.#opaques,
      this.#serializeTypes,
      this.#deadlines,
    ]
    for (const column of columns) {
      if (this.#head === column.length) column.length = 0
      else column.splice(0, this.#head)
    }
    this.#head = 0
  }
}
