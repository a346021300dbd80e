import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { ByteRing, type RecordReader, type RingRecord } from '../ring/byte-ring.ts'
import type { Signal } from '../ring/signal.ts'

/** Records between main and a network worker. `first`, `second` are slot and generation, or an id. */
export const LinkType = {
  /** To main: a connection exists; the payload is its address. */
  OPENED: 1,
  /** To main: a request that main answers; the payload is the frame without its length prefix. */
  REQUEST: 2,
  /** To main: the connection is gone. */
  CLOSED: 3,
  /** To main: offsets that pulls committed; the payload is JSON. */
  COMMITS: 4,
  /** To main: something this worker lacks; `first` is an id, the payload is JSON. */
  ASK: 5,
  /** To the worker: bytes for a connection. */
  FRAME: 6,
  /** To the worker: end a connection; the payload is the reason. */
  CLOSE: 7,
  /** To the worker: the answer to ASK; `second` is a response code, the payload the remark. */
  ANSWERED: 8,
} as const

/** Stands in the ring for a record whose payload travels through the port, to keep the order. */
const BIG = 1 << 16
const DRAIN_LIMIT = 1024
/** Bytes that may wait on this side for room in the ring. */
const WAITING_MAX = 32 * 1024 * 1024

/** Memory and ports of a link, as they travel to a worker. */
export interface LinkEnd {
  outgoing: SharedArrayBuffer
  incoming: SharedArrayBuffer
  port: MessagePort
}

/**
 * One side of the way between main and a network worker: a ring in each direction, and a port for
 * payloads that are too big for a ring.
 */
export class ThreadLink {
  readonly #outgoing: ByteRing
  readonly #incoming: ByteRing
  readonly #port: MessagePort
  readonly #peer: Signal
  readonly #waiting: RingRecord[] = []
  #waitingBytes = 0
  #hasNews = false

  constructor(end: LinkEnd, peer: Signal) {
    this.#outgoing = new ByteRing(end.outgoing)
    this.#incoming = new ByteRing(end.incoming)
    this.#port = end.port
    this.#peer = peer
  }

  /** False: too much waits already for the other side; nothing was sent. */
  send(record: RingRecord): boolean {
    if (this.#waitingBytes > WAITING_MAX) return false
    this.#hasNews = true
    const small = record.payload.length <= this.#outgoing.payloadMax ? record : this.#post(record)
    if (this.#waiting.length === 0 && this.#outgoing.offer(small)) return true
    this.#waiting.push({ ...small, payload: Uint8Array.from(small.payload) })
    this.#waitingBytes += small.payload.length
    return true
  }

  /** Once per turn: tells the other side that something was sent. */
  flush(): void {
    if (!this.#hasNews) return
    this.#hasNews = false
    this.#peer.wake()
  }

  /** Hands out what came; returns whether there may be more. */
  drain(each: RecordReader): boolean {
    this.#sendWaiting()
    const count = this.#incoming.drain(DRAIN_LIMIT, (type, first, second, payload) => {
      if ((type & BIG) === 0) each(type, first, second, payload)
      else each(type & ~BIG, first, second, this.#takeBig())
    })
    if (this.#incoming.takeWanted()) this.#hasNews = true
    return count === DRAIN_LIMIT
  }

  #sendWaiting(): void {
    while (this.#waiting.length > 0 && this.#outgoing.offer(this.#waiting[0]!)) {
      this.#waitingBytes -= this.#waiting.shift()!.payload.length
      this.#hasNews = true
    }
  }

  /** First the bytes, then what stands for them in the ring: whoever meets it finds them. */
  #post(record: RingRecord): RingRecord {
    const copy = Uint8Array.from(record.payload) // it may be a slice of a buffer in use
    this.#port.postMessage(copy.buffer, [copy.buffer])
    return { ...record, type: record.type | BIG, payload: new Uint8Array(0) }
  }

  #takeBig(): Buffer {
    return Buffer.from((receiveMessageOnPort(this.#port) as { message: ArrayBuffer }).message)
  }
}
