import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { isDiskError } from './disk-error.ts'
import { StoreError } from './log-files.ts'
import { currentProcess, isAlive, type ProcessIdentity } from './process-identity.ts'

/** How often the holder shows a process of another namespace that it lives. */
const HEARTBEAT_MS = 10_000
const STALE_MS = 3 * HEARTBEAT_MS
/** Always as long: it is written over itself, which takes no space of a full disk. */
const FILE_LENGTH = 512

/** Who holds a store, as written into its lock file. */
interface Holder extends ProcessIdentity {
  heartbeatMs: number
}

/**
 * Keeps a second broker off a store: one of ours by a socket whose name comes from the folder (the
 * kernel frees it when the process dies), one of ours in another container by a file with a
 * heartbeat, Apache's by its lock on the file `lock`, which Node can see but not take.
 */
export class StoreLock {
  readonly #descriptor: number
  readonly #socket: Server
  readonly #timer: NodeJS.Timeout
  #beatenMs = 0
  #isReleased = false

  private constructor(path: string, socket: Server) {
    this.#socket = socket
    writeFileSync(path, '', { flag: 'a' })
    this.#descriptor = openSync(path, 'r+')
    this.#timer = setInterval(() => this.beat(), HEARTBEAT_MS).unref()
    this.#write({ ...currentProcess(), heartbeatMs: Date.now() })
  }

  /** Rejects with StoreError that says who holds it. `root` exists. */
  static async take(root: string): Promise<StoreLock> {
    refuseApache(root)
    const path = join(root, 'ringmq.lock')
    const socket = await takeSocket(root)
    try {
      refuseHolder(root, path)
      return new StoreLock(path, socket)
    } catch (error) {
      socket.close()
      throw error
    }
  }

  /**
   * Keeps brokers of this machine off a store without a change to it, for whoever only reads. Rejects
   * with StoreError when somebody holds it. Returns what lets go of it.
   */
  static async hold(root: string): Promise<() => Promise<void>> {
    if (existsSync(join(root, 'lock'))) refuseApache(root)
    const socket = await takeSocket(root)
    try {
      refuseHolder(root, join(root, 'ringmq.lock'))
    } catch (error) {
      socket.close()
      throw error
    }
    return () => new Promise((resolve) => socket.close(() => resolve()))
  }

  /** For whoever keeps the event loop busy for long: cheap to call more often than is needed. */
  beat(): void {
    const now = Date.now()
    if (now - this.#beatenMs < HEARTBEAT_MS / 2) return
    this.#beatenMs = now
    try {
      this.#write({ ...currentProcess(), heartbeatMs: now })
    } catch (error) {
      if (!isDiskError(error)) throw error // the next one may get through
    }
  }

  async release(): Promise<void> {
    if (this.#isReleased) return // the descriptor's number may be another file's by now
    this.#isReleased = true
    clearInterval(this.#timer)
    try {
      this.#write(null)
    } finally {
      closeSync(this.#descriptor)
      await new Promise<void>((resolve) => this.#socket.close(() => resolve()))
    }
  }

  #write(holder: Holder | null): void {
    const text = holder === null ? '' : JSON.stringify(holder)
    writeSync(this.#descriptor, text.padEnd(FILE_LENGTH), 0)
  }
}

/** Apache takes an fcntl lock on the file `lock` (5.3.3, DefaultMessageStore). */
function refuseApache(root: string): void {
  const path = join(root, 'lock')
  writeFileSync(path, '', { flag: 'a' })
  const { ino, dev } = statSync(path)
  const major = ((dev >> 8) & 0xfff).toString(16).padStart(2, '0')
  const minor = ((dev & 0xff) | ((dev >> 12) & 0xfff00)).toString(16).padStart(2, '0')
  const lock = locksOfMachine()
    .split('\n')
    .find((line) => line.includes(` ${major}:${minor}:${ino} `))
  if (lock === undefined) return
  throw new StoreError(
    `Lock failed,MQ already started: process ${lock.split(/\s+/)[4]} (Apache's broker, it seems) holds ${path}`,
  )
}

function locksOfMachine(): string {
  try {
    return readFileSync('/proc/locks', 'utf8')
  } catch {
    return '' // not Linux
  }
}

async function takeSocket(root: string): Promise<Server> {
  const { dev, ino } = statSync(root)
  const socket = createServer((connection) => connection.destroy()).unref()
  try {
    await listen(socket, `\0ringmq-store-${dev}-${ino}`)
    return socket
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new StoreError(
      `Lock failed,MQ already started: another RingMQ broker of this machine uses the store ${root}`,
    )
  }
}

/** Abstract sockets are Linux's; elsewhere the file below is all there is. */
function listen(socket: Server, path: string): Promise<void> {
  if (process.platform !== 'linux') return Promise.resolve()
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.listen({ path }, () => resolve())
  })
}

/** A process that we can see lives or not; one of another namespace stops its heartbeat. */
function refuseHolder(root: string, path: string): void {
  const holder = readHolder(path)
  if (holder === null) return
  const alive = isAlive(holder)
  const beatMs = Date.now() - holder.heartbeatMs
  if (alive === false || (alive === 'unknown' && beatMs > STALE_MS)) return
  const who = alive === 'unknown' ? ' of another container or host' : ''
  throw new StoreError(
    `Lock failed,MQ already started: a RingMQ broker (process ${holder.pid}${who}) used the store ${root} ${beatMs} ms ago; if it is gone, try again in ${STALE_MS / 1000} s`,
  )
}

function readHolder(path: string): Holder | null {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8')) as Holder
    return typeof holder.heartbeatMs === 'number' ? holder : null
  } catch {
    return null // no file, or one that a crash or a clean stop left empty
  }
}
