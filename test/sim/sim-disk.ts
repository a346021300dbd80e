import type { Disk, Span } from '../../src/base/disk.ts'
import type { Random } from './random.ts'
import type { Steps } from './steps.ts'

/** An error as Node throws it for the machine's. */
export function diskError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated`), { code, errno: -1 })
}

/**
 * Files in memory. What was written stays when all shared memory is lost, as with kill -9: losing
 * unsynced bytes is another simulation's business.
 */
export class SimDisk implements Disk {
  readonly files = new Map<string, Buffer>()
  readonly #open: string[] = []

  open(path: string): number {
    if (!this.files.has(path)) throw diskError('ENOENT')
    return this.#open.push(path) - 1
  }

  create(path: string): number {
    if (!this.files.has(path)) this.files.set(path, Buffer.alloc(0))
    return this.open(path)
  }

  openRead(path: string): number {
    return this.open(path)
  }

  close(): void {}

  pread(descriptor: number, { buffer, offset, length, position }: Span): number {
    const bytes = this.#bytes(descriptor)
    const count = Math.max(0, Math.min(length, bytes.length - position))
    bytes.copy(buffer, offset, position, position + count)
    return count
  }

  pwrite(descriptor: number, { buffer, offset, length, position }: Span): void {
    if (this.#bytes(descriptor).length < position + length) {
      this.truncate(descriptor, position + length)
    }
    this.#bytes(descriptor).set(buffer.subarray(offset, offset + length), position)
  }

  fdatasync(): void {}

  truncate(descriptor: number, length: number): void {
    const bytes = Buffer.alloc(length)
    this.#bytes(descriptor).copy(bytes)
    this.files.set(this.#open[descriptor]!, bytes)
  }

  size(descriptor: number): number {
    return this.#bytes(descriptor).length
  }

  exists(path: string): boolean {
    return this.files.has(path)
  }

  makeDirectory(): void {}

  list(): { name: string; isDirectory: boolean }[] {
    return []
  }

  remove(path: string): void {
    this.files.delete(path)
  }

  rename(source: string, target: string): void {
    this.files.set(target, this.readFile(source))
    this.files.delete(source)
  }

  readFile(path: string): Buffer {
    const bytes = this.files.get(path)
    if (bytes === undefined) throw diskError('ENOENT')
    return bytes
  }

  syncDirectory(): void {}

  usage(): { used: number; usable: number } {
    return { used: 0, usable: 2 ** 40 }
  }

  #bytes(descriptor: number): Buffer {
    return this.readFile(this.#open[descriptor]!)
  }
}

/** The same files for the log's writer: others run while it writes, and now and then it is full. */
export function steppedDisk(disk: SimDisk, random: Random, fullOneIn: number): Disk {
  const stepped = Object.create(disk) as SimDisk
  const pwrite = function* (descriptor: number, span: Span): Steps<void> {
    const first = random.below(span.length)
    yield 'pwrite begins'
    disk.pwrite(descriptor, { ...span, length: first })
    yield 'pwrite is half done'
    if (random.oneIn(fullOneIn)) throw diskError('ENOSPC')
    const rest = { offset: span.offset + first, length: span.length - first }
    disk.pwrite(descriptor, { ...span, ...rest, position: span.position + first })
  }
  stepped.pwrite = pwrite
  return stepped
}
