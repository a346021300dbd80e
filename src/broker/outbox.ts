import type { Connection } from '../net/connection.ts'

const CHUNK_LENGTH = 64 * 1024
/** Chunks kept for the next turn; more are left to the garbage collector. */
const CHUNKS_KEPT = 64

/** Output buffers that serve all connections of a thread, one after the other. */
export class ChunkPool {
  readonly #free: Buffer[] = []

  take(length: number): Buffer {
    if (length > CHUNK_LENGTH) return Buffer.allocUnsafeSlow(length)
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_LENGTH)
  }

  giveBack(chunk: Buffer): void {
    if (chunk.length === CHUNK_LENGTH && this.#free.length < CHUNKS_KEPT) this.#free.push(chunk)
  }
}

/**
 * Replies of one connection on their way out. They are written one behind the other into chunks and
 * leave together: one write per turn, not one per reply. Offsets count the bytes since the start.
 */
export class Outbox {
  readonly #connection: Connection
  readonly #pool: ChunkPool
  readonly #full: { chunk: Buffer; start: number; end: number }[] = []
  #chunk: Buffer | null = null
  #chunkStart = 0
  #length = 0
  #sent = 0
  #allowed = 0
  #isSending = false

  constructor(connection: Connection, pool: ChunkPool) {
    this.#connection = connection
    this.#pool = pool
  }

  /** Offset behind the last byte that was put in. */
  get end(): number {
    return this.#chunkStart + this.#length
  }

  /** Bytes that were put in and are still here. */
  get unsent(): number {
    return this.end - this.#sent
  }

  /** Makes a place for `length` bytes, in the buffer it returns from `reservedAt` on. */
  reserve(length: number): Buffer {
    if (this.#chunk !== null && this.#length + length > this.#chunk.length) this.#retire()
    this.#chunk ??= this.#pool.take(length)
    return this.#chunk
  }

  /** Where the reserved place begins, until `commit`. */
  get reservedAt(): number {
    return this.#length
  }

  /** `length` of the reserved bytes were written. */
  commit(length: number): void {
    this.#length += length
  }

  put(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes, this.reservedAt)
    this.commit(bytes.length)
  }

  sendAll(): void {
    this.sendUpTo(this.end)
  }

  /** What lies below `offset` may leave. */
  allow(offset: number): void {
    this.#allowed = offset
  }

  sendAllowed(): void {
    if (this.#sent < this.#allowed) this.sendUpTo(this.#allowed)
  }

  /** Everything below `offset` leaves; what is above waits for another call. */
  sendUpTo(offset: number): void {
    if (this.#isSending) return // a send that lets the connection read on may bring new replies
    this.#isSending = true
    this.#sendChunks(offset)
    this.#isSending = false
  }

  #sendChunks(offset: number): void {
    while (this.#full.length > 0 && this.#sent < offset) {
      const { chunk, start, end } = this.#full[0]!
      const isDone = this.#send(chunk, start, Math.min(end, offset))
      if (this.#sent < end) return
      this.#full.shift()
      if (isDone) this.#pool.giveBack(chunk)
    }
    if (this.#chunk === null || this.#sent >= offset) return
    const isTaken = this.#send(this.#chunk, this.#chunkStart, offset)
    if (this.#sent === this.end) this.#reset(isTaken)
  }

  /** The bytes of one reply that has not been sent; a view, to be used at once. */
  bytesOf(start: number, end: number): Buffer {
    const full = this.#full.find((each) => start < each.end)
    const { chunk, start: from } = full ?? { chunk: this.#chunk!, start: this.#chunkStart }
    return chunk.subarray(start - from, end - from)
  }

  /** Leaves out the bytes between what was sent and `offset`: their reply became another one. */
  skipTo(offset: number): void {
    this.#sent = offset
    while (this.#full.length > 0 && this.#full[0]!.end <= offset) this.#full.shift()
    if (this.#sent === this.end) this.#reset(false)
  }

  /** True: the kernel has the bytes, and every chunk they came from is ours again. */
  #send(chunk: Buffer, start: number, to: number): boolean {
    const from = this.#sent
    this.#sent = to
    return this.#connection.send(chunk.subarray(from - start, to - start))
  }

  #retire(): void {
    if (this.#chunk === null) return
    this.#full.push({ chunk: this.#chunk, start: this.#chunkStart, end: this.end })
    this.#chunkStart = this.end
    this.#length = 0
    this.#chunk = null
  }

  /** The chunk may be used again only if no earlier part of it is still being read by the kernel. */
  #reset(isTaken: boolean): void {
    if (this.#chunk !== null && isTaken) this.#pool.giveBack(this.#chunk)
    this.#chunk = null
    this.#chunkStart = this.#sent
    this.#length = 0
  }
}
