import { Socket, type SocketConstructorOpts } from 'node:net'

/** Bytes have arrived: `bytes[0, length)`, valid only during the call. True: go on reading. */
export type OnBytes = (length: number, bytes: Buffer) => boolean

interface StreamHandle {
  useUserBuffer?: unknown
}

/**
 * Makes an accepted socket read into `buffer`, which all sockets of a thread may share: libuv reads
 * and calls back within one turn. Node offers `onread` only to sockets that connect (26.10,
 * lib/net.js), so the handle moves to a new Socket. `raw` must come from a server with
 * `pauseOnConnect` and is dead afterwards. Where Node has changed its private parts, `raw` itself is
 * returned, and reads through 'data' events.
 */
export function readInto(raw: Socket, buffer: Buffer, onBytes: OnBytes): Socket {
  const handle = takeHandle(raw)
  if (handle === null) return readByEvents(raw, buffer, onBytes)
  raw.destroy() // without its handle this closes nothing; the server stops counting it
  const options = { handle, onread: { buffer, callback: onBytes } }
  return new Socket(options as unknown as SocketConstructorOpts)
}

/** What `readInto` falls back to: works everywhere, and lets Node allocate for each read. */
export function readByEvents(raw: Socket, _buffer: Buffer, onBytes: OnBytes): Socket {
  raw.on('data', (bytes: Buffer) => void onBytes(bytes.length, bytes))
  return raw.resume()
}

function takeHandle(raw: Socket): StreamHandle | null {
  const insides = raw as unknown as { _handle?: StreamHandle | null }
  const handle = insides._handle
  if (typeof handle?.useUserBuffer !== 'function') return null
  insides._handle = null
  return handle
}
