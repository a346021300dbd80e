import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { StoreError } from './log-files.ts'

/** How often the holder shows a process of another namespace that it lives. */
const HEARTBEAT_MS = 10_000
const STALE_MS = 3 * HEARTBEAT_MS

/** Who holds a store, as written into its lock file. */
interface Holder {
  boot: string
  namespace: string
  pid: number
  started: string
  heartbeatMs: number
}

/**
 * Keeps a second broker off a store: one of ours by a socket whose name comes from the folder (the
 * kernel frees it when the process dies), one of ours in another container by a file with a
 * heartbeat, Apache's by its lock on the file `lock`, which Node can see but not take.
 */
export class StoreLock {
  readonly #path: string
  readonly #socket: Server
  readonly #timer: NodeJS.Timeout

  private constructor(path: string, socket: Server) {
    this.#path = path
    this.#socket = socket
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS).unref()
    this.#beat()
  }

  /** Rejects with StoreError that says who holds it. `root` exists. */
  static async take(root: string): Promise<StoreLock> {
    refuseApache(root)
    const path = join(root, 'ringmq.lock')
    const socket = await takeSocket(root)
    try {
      refuseOtherNamespace(root, path)
    } catch (error) {
      socket.close()
      throw error
    }
    return new StoreLock(path, socket)
  }

  async release(): Promise<void> {
    clearInterval(this.#timer)
    writeFileSync(this.#path, '')
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()))
  }

  #beat(): void {
    writeFileSync(this.#path, JSON.stringify({ ...ourselves(), heartbeatMs: Date.now() }))
  }
}

/** Apache takes an fcntl lock on the file `lock` (5.3.3, DefaultMessageStore). */
function refuseApache(root: string): void {
  const path = join(root, 'lock')
  if (!existsSync(path)) writeFileSync(path, 'lock')
  const { ino, dev } = statSync(path)
  const major = ((dev >> 8) & 0xfff).toString(16).padStart(2, '0')
  const minor = ((dev & 0xff) | ((dev >> 12) & 0xfff00)).toString(16).padStart(2, '0')
  const lock = readText('/proc/locks')
    .split('\n')
    .find((line) => line.includes(` ${major}:${minor}:${ino} `))
  if (lock === undefined) return
  throw new StoreError(
    `Lock failed,MQ already started: process ${lock.split(/\s+/)[4]} (Apache's broker, it seems) holds ${path}`,
  )
}

async function takeSocket(root: string): Promise<Server> {
  const { dev, ino } = statSync(root)
  const socket = createServer().unref()
  try {
    await listen(socket, `\0ringmq-store-${dev}-${ino}`)
    return socket
  } catch {
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

/** In our own namespace the socket has decided; a dead process elsewhere stops its heartbeat. */
function refuseOtherNamespace(root: string, path: string): void {
  const holder = readHolder(path)
  if (holder === null || Date.now() - holder.heartbeatMs > STALE_MS) return
  const { boot, namespace, pid, started } = ourselves()
  if (holder.boot === boot && holder.namespace === namespace) return
  if (holder.pid === pid && holder.started === started) return
  throw new StoreError(
    `Lock failed,MQ already started: a RingMQ broker (process ${holder.pid} of another container or host) used the store ${root} ${Date.now() - holder.heartbeatMs} ms ago; if it is gone, try again in ${STALE_MS / 1000} s`,
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

function ourselves(): Omit<Holder, 'heartbeatMs'> {
  const stat = readText('/proc/self/stat')
  return {
    boot: readText('/proc/sys/kernel/random/boot_id').trim(),
    namespace: readLink('/proc/self/ns/pid'),
    pid: process.pid,
    started: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '',
  }
}

function readText(path: string): string {
  if (!existsSync(path)) return ''
  return readFileSync(path, 'utf8')
}

function readLink(path: string): string {
  return existsSync(path) ? readlinkSync(path) : ''
}

/** The file whose existence says that the last stop was not clean (Apache 5.3.3: `abort`). */
export function writeAbortFile(root: string): void {
  const descriptor = openSync(join(root, 'abort'), 'w')
  writeFileSync(descriptor, String(process.pid))
  closeSync(descriptor)
}
