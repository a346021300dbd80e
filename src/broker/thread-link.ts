import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
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
/** Bytes on their way to the other side, besides those in the ring, from which on the link is full. */
const PENDING_MAX = 32 * 1024 * 1024
/** What a record costs besides its payload while it waits for room. */
const RECORD_COST = 128

/** Memory and ports of a link, as they travel to a worker. */
export interface LinkEnd {
  outgoing: SharedArrayBuffer
  incoming: SharedArrayBuffer
  /** One word for each direction: bytes in the port. */
  posted: SharedArrayBuffer
  sender: 0 | 1
  port: MessagePort
}

/** The two ends of a new link. */
export function linkEnds(ringBytes: number): [LinkEnd, LinkEnd] {
  const [first, second] = [ByteRing.allocate(ringBytes), ByteRing.allocate(ringBytes)]
  const posted = new SharedArrayBuffer(8)
  const { port1, port2 } = new MessageChannel()
  return [
    { outgoing: first, incoming: second, posted, sender: 0, port: port1 },
    { outgoing: second, incoming: first, posted, sender: 1, port: port2 },
  ]
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
  readonly #posted: Int32Array
  readonly #sender: 0 | 1
  #waiting: RingRecord[] = []
  #waitingHead = 0
  #waitingBytes = 0
  #hasNews = false
  #isFlushDue = false

  constructor(end: LinkEnd, peer: Signal) {
    this.#outgoing = new ByteRing(end.outgoing)
    this.#incoming = new ByteRing(end.incoming)
    this.#port = end.port
    this.#posted = new Int32Array(end.posted)
    this.#sender = end.sender
    this.#peer = peer
  }

  /** Too much waits already for the other side: whatever can be refused should be. */
  get isFull(): boolean {
    return this.#waitingBytes + Atomics.load(this.#posted, this.#sender) > PENDING_MAX
  }

  /** Never lost, always in order. Who sends what clients ask for looks at `isFull` before. */
  send(record: RingRecord): void {
    this.#hasNews = true
    const small = record.payload.length <= this.#outgoing.payloadMax ? record : this.#post(record)
    if (this.#waiting.length === 0 && this.#outgoing.offer(small)) return
    this.#waiting.push({ ...small, payload: new Uint8Array(small.payload) })
    this.#waitingBytes += RECORD_COST + small.payload.length
  }

  /** Once per turn: tells the other side that something was sent. */
  flush(): void {
    if (!this.#hasNews) return
    this.#hasNews = false
    this.#peer.wake()
  }

  /** Once for all that the promises of this turn send: each wake may cost the other side a turn of its own. */
  flushSoon(): void {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    process.nextTick(() => {
      this.#isFlushDue = false
      this.flush()
    })
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
    const waiting = this.#waiting
    if (waiting.length === 0) return
    let head = this.#waitingHead
    while (head < waiting.length && this.#outgoing.offer(waiting[head]!)) {
      this.#waitingBytes -= RECORD_COST + waiting[head++]!.payload.length
      this.#hasNews = true
    }
    const isWorthIt = head * 2 >= waiting.length
    if (isWorthIt) this.#waiting = waiting.slice(head)
    this.#waitingHead = isWorthIt ? 0 : head
  }

  /** First the bytes, then what stands for them in the ring: whoever meets it finds them. */
  #post(record: RingRecord): RingRecord {
    const copy = new Uint8Array(record.payload) // it may be a slice of a buffer in use
    Atomics.add(this.#posted, this.#sender, copy.length) // the other side takes it off again
    this.#port.postMessage(copy.buffer, [copy.buffer])
    return { ...record, type: record.type | BIG, payload: new Uint8Array(0) }
  }

  #takeBig(): Buffer {
    const { message } = receiveMessageOnPort(this.#port) as { message: ArrayBuffer }
    Atomics.sub(this.#posted, 1 - this.#sender, message.byteLength)
    return Buffer.from(message)
  }
}
