import { connect, type Socket } from 'node:net'

/** Bytes `[start, end)` are one whole reply, length prefix included; they are gone after the call. */
export interface FrameSink {
  onFrame(link: Link, bytes: Buffer, start: number, end: number): void
  /** After the last whole frame of a read: what was put into `output` by now leaves in one write. */
  onReadEnd(link: Link): void
}

const OUTPUT_LENGTH = 256 * 1024
const INPUT_LENGTH = 1024 * 1024

/** One connection of the generator: one read buffer, one output buffer, one write per read. */
export class Link {
  /** Requests waiting for `flush`: bytes `[0, filled)`. */
  output = Buffer.allocUnsafeSlow(OUTPUT_LENGTH)
  filled = 0
  /**
   * `performance.now()` of the latest read. Replies and the sends they cause share this one reading, so
   * that the generator's own work counts as response time and is never hidden.
   */
  now = performance.now()
  readonly #socket: Socket
  readonly #sink: FrameSink
  #input = Buffer.allocUnsafeSlow(INPUT_LENGTH)
  #kept = 0

  private constructor(host: string, port: number, sink: FrameSink) {
    this.#sink = sink
    const buffer = (): Uint8Array => this.#input.subarray(this.#kept)
    const callback = (count: number): boolean => this.#read(count)
    this.#socket = connect({ host, port, noDelay: true, onread: { buffer, callback } })
  }

  /** `address` is host:port. `onLost` is told why when the connection ends without `close`. */
  static async open(
    address: string,
    sink: FrameSink,
    onLost: (error: Error) => void,
  ): Promise<Link> {
    const colon = address.lastIndexOf(':')
    const link = new Link(address.slice(0, colon), Number(address.slice(colon + 1)), sink)
    await link.#connected()
    link.#socket.on('error', (error) => onLost(new Error(`${address}: ${error.message}`)))
    link.#socket.on('end', () => onLost(new Error(`${address} closed the connection`)))
    return link
  }

  async #connected(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#socket.once('error', reject).once('connect', resolve)
    await promise
    this.#socket.off('error', reject)
  }

  /** Makes room for `length` more bytes of output. */
  reserve(length: number): void {
    if (this.filled + length <= this.output.length) return
    this.flush()
    if (length > this.output.length) this.output = Buffer.allocUnsafeSlow(length)
  }

  flush(): void {
    if (this.filled === 0) return
    this.#socket.write(this.output.subarray(0, this.filled))
    // What the kernel did not take at once still points into the buffer: leave it that one.
    if (this.#socket.writableLength > 0) this.output = Buffer.allocUnsafeSlow(this.output.length)
    this.filled = 0
  }

  close(): void {
    this.#socket.removeAllListeners('end')
    this.#socket.destroy()
  }

  #read(count: number): boolean {
    this.now = performance.now()
    const end = this.#kept + count
    const cut = this.#cutFrames(end)
    this.#keep(cut, end)
    this.#sink.onReadEnd(this)
    this.flush()
    return true
  }

  /** Hands out the whole frames of `[0, end)` and returns where the first unfinished one begins. */
  #cutFrames(end: number): number {
    const input = this.#input
    let at = 0
    while (end - at >= 4) {
      const next = at + 4 + input.readInt32BE(at)
      if (next > end) break
      this.#sink.onFrame(this, input, at, next)
      at = next
    }
    return at
  }

  /** Moves the unfinished frame to the front, into a larger buffer when it would not fit. */
  #keep(start: number, end: number): void {
    const kept = end - start
    const length = kept >= 4 ? 4 + this.#input.readInt32BE(start) : 0
    if (length > this.#input.length) {
      const larger = Buffer.allocUnsafeSlow(length + INPUT_LENGTH)
      this.#input.copy(larger, 0, start, end)
      this.#input = larger
    } else if (start > 0 && kept > 0) this.#input.copyWithin(0, start, end)
    this.#kept = kept
  }
}
