import type { LogShared } from '../store/log-memory.ts'
import type { ClientSession } from './client-session.ts'
import { flushTimeout, GatedReplies, type Gate, type GatedReply } from './gated-replies.ts'

/** The replies to sends of one network worker, until their records are written or flushed. */
export class ReplyGates {
  readonly #written = new GatedReplies()
  readonly #flushed = new GatedReplies()
  readonly #shared: LogShared
  readonly #onReady: (session: ClientSession) => void

  /** `onReady`: the session has something to send. */
  constructor(shared: LogShared, onReady: (session: ClientSession) => void) {
    this.#shared = shared
    this.#onReady = onReady
  }

  get isEmpty(): boolean {
    return this.#written.isEmpty && this.#flushed.isEmpty
  }

  /** When the first one's time is over; Infinity when there is none. */
  get nextDeadline(): number {
    return Math.min(this.#written.nextDeadline(), this.#flushed.nextDeadline())
  }

  /** Replies whose records end below are answered. */
  get firstHeld(): number {
    return Math.min(this.#written.firstPosition(), this.#flushed.firstPosition())
  }

  /** Its reply lies in the gated outbox of the session; the gate is used again. */
  add(session: ClientSession, gate: Gate): void {
    const queue = gate.mustFlush ? this.#flushed : this.#written
    queue.add(session, gate)
  }

  /** Lets go of what the positions have passed, and asks to be woken for the rest. */
  release(): void {
    const shared = this.#shared
    this.#written.release(shared.written.value(), this.#onWritten)
    if (this.isEmpty) return
    shared.setWaiting(true) // first the flag, then the positions
    this.#written.release(shared.written.value(), this.#onWritten) // flush writes: a full or slow disk
    this.#flushed.release(shared.flushed.value(), this.#onFlushed)
  }

  /** Answers those whose time is over with something else. */
  expire(now: number): void {
    this.#written.takeExpired(now, (reply) => this.#answerUnwritten(reply))
    this.#flushed.takeExpired(now, (reply) => this.#answerUnflushed(reply))
  }

  readonly #onWritten = (session: ClientSession, replyEnd: number): void => {
    session.written.allow(replyEnd)
    this.#onReady(session)
  }

  readonly #onFlushed = (session: ClientSession, replyEnd: number): void => {
    session.flushed.allow(replyEnd)
    this.#onReady(session)
  }

  /** Its record may still come to be stored: an unknown outcome, as with any timeout. */
  #answerUnwritten(reply: GatedReply): void {
    const { session, replyStart, replyEnd } = reply
    session.written.sendUpTo(replyStart)
    if (replyEnd === replyStart) return
    session.answer(reply, 'SYSTEM_ERROR', 'the message could not be written in time')
    session.written.skipTo(replyEnd)
    this.#onReady(session)
  }

  #answerUnflushed({ session, replyStart, replyEnd }: GatedReply): void {
    session.flushed.sendUpTo(replyStart)
    if (replyEnd === replyStart) return
    session.replies.put(flushTimeout(session.flushed.bytesOf(replyStart, replyEnd)))
    session.flushed.skipTo(replyEnd)
    this.#onReady(session)
  }
}
