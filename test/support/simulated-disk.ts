import { dirname } from 'node:path'
import type { Disk, Span } from '../../src/base/disk.ts'
import type { Random } from '../sim/random.ts'

/** A disk writes or loses this much at once. */
const SECTOR = 512

/** What one file holds now, and what of it a power failure leaves for certain. */
class SimulatedFile {
  bytes = Buffer.alloc(0)
  durable = Buffer.alloc(0)
  /** Sectors that the kernel has not written back yet. */
  readonly #dirty = new Set<number>()

  resize(length: number): void {
    const kept = Math.min(length, this.bytes.length)
    const bytes = Buffer.alloc(length)
    this.bytes.copy(bytes, 0, 0, kept)
    this.bytes = bytes
    this.#touch(kept, Math.max(length, this.durable.length))
  }

  write(source: Uint8Array, position: number): void {
    const end = position + source.length
    if (end > this.bytes.length) this.resize(end)
    this.bytes.set(source, position)
    this.#touch(position, end)
  }

  sync(): void {
    this.durable = this.#withLength(this.bytes.length)
    for (const at of this.#dirty) this.#writeBack(at, this.durable)
    this.#dirty.clear()
  }

  /**
   * Linux takes a page whose write failed for clean: it reads as before, the next sync says OK, and the
   * disk never gets it.
   */
  failSync(random: Random): void {
    this.durable = this.#withLength(this.bytes.length)
    for (const at of this.#dirty) if (random.below(2) === 0) this.#writeBack(at, this.durable)
    this.#dirty.clear()
  }

  /** Each sector that was not synced is the new one or the old one; one may have a bit that is wrong. */
  losePower(random: Random, mayFlip: boolean): void {
    const left = this.#withLength(random.below(2) === 0 ? this.durable.length : this.bytes.length)
    const share = random.pick([0, 0.5, 0.5, 0.9, 1])
    for (const at of this.#dirty) if (random.unit() < share) this.#writeBack(at, left)
    if (mayFlip && left.length > 0) this.#flip(random, left)
    this.#dirty.clear()
    this.bytes = left
    this.durable = Buffer.from(left)
  }

  /** Only in bytes that were being written: what was synced in the same sector stays as it is. */
  #flip(random: Random, left: Buffer): void {
    if (this.#dirty.size === 0) return
    const at = random.pick([...this.#dirty]) * SECTOR + random.below(SECTOR)
    if (at < Math.min(left.length, this.bytes.length) && this.bytes[at] !== this.durable[at]) {
      left[at]! ^= 1 << random.below(8)
    }
  }

  #withLength(length: number): Buffer<ArrayBuffer> {
    const bytes = Buffer.alloc(length)
    this.durable.copy(bytes)
    return bytes
  }

  #writeBack(sector: number, target: Buffer): void {
    const at = sector * SECTOR
    if (at >= target.length) return
    const end = Math.min(at + SECTOR, target.length)
    target.fill(0, at, end) // behind the end there are zeros
    if (at < this.bytes.length) this.bytes.copy(target, at, at, end)
  }

  #touch(from: number, to: number): void {
    for (let at = Math.floor(from / SECTOR); at * SECTOR < to; at++) this.#dirty.add(at)
  }
}

type Names = Map<string, SimulatedFile>
/** A new or a lost name; those of one directory become durable in their order. */
type NameChange = (names: Names) => void

/** Thrown in the middle of a run: from here on nothing reaches the disk. */
export class PowerFailure extends Error {
  override name = 'PowerFailure'
}

/** Nobody knows what the file holds any more: writing on, or syncing again, would hide that. */
export class FenceError extends Error {
  override name = 'FenceError'
}

/**
 * A disk in memory. `kill` ends the process (the page cache stays), `losePower` the machine: then
 * what was not synced is there or is not, sector by sector and name by name.
 */
export class SimulatedDisk implements Disk {
  /** Writes, cuts, syncs and name changes so far. */
  changes = 0
  /** Fails before that many changes were made. */
  failAt = Infinity
  /** Throws a system error of this code for files whose path holds the text. */
  refusal: { code: 'ENOSPC' | 'EIO'; path: string } | null = null
  /** The write or sync with this number fails with EIO; none at Infinity. */
  failCallAt = Infinity
  calls = 0
  /** After a write fails of a file whose path holds this, the process may do no other write; syncs alike. */
  fences: string | null = null
  readonly #fenced = new Set<'write' | 'sync'>()
  /** A power failure may leave a wrong bit in what was not synced of a log: its bodies have checksums. */
  mayFlip = false
  readonly #random: Random
  readonly #directories = new Set<string>(['/'])
  readonly #pending = new Map<string, NameChange[]>()
  readonly #open = new Map<number, { file: SimulatedFile; path: string; isReadOnly: boolean }>()
  #names: Names = new Map()
  #durableNames: Names = new Map()
  #nextDescriptor = 3

  constructor(random: Random) {
    this.#random = random
  }

  get openCount(): number {
    return this.#open.size
  }

  kill(): void {
    this.#open.clear()
    this.failAt = Infinity
    this.#fenced.clear()
  }

  losePower(): void {
    this.kill()
    for (const changes of this.#pending.values()) {
      const kept = this.#random.below(changes.length + 1)
      for (const change of changes.slice(0, kept)) change(this.#durableNames)
    }
    this.#pending.clear()
    const files = new Map([...this.#durableNames].map(([path, file]) => [file, path]))
    for (const [file, path] of files) {
      file.losePower(this.#random, this.mayFlip && path.includes('/commitlog/'))
    }
    this.#names = new Map(this.#durableNames)
    for (const path of this.#names.keys()) this.makeDirectory(dirname(path))
  }

  /** Bytes that all files together may have; what others keep on it counts, too. */
  capacity = 2 ** 40
  usedByOthers = 0

  usage(): { used: number; usable: number } {
    let used = this.usedByOthers
    for (const file of this.#names.values()) used += file.bytes.length
    return { used, usable: Math.max(0, this.capacity - used) }
  }

  /** Everything is durable as it is now. */
  syncAll(): void {
    for (const file of this.#names.values()) file.sync()
    this.#durableNames = new Map(this.#names)
    this.#pending.clear()
  }

  writeFile(path: string, content: Buffer): void {
    const file = new SimulatedFile()
    file.write(content, 0)
    this.#names.set(path, file)
  }

  open(path: string): number {
    return this.#openFile(path, false)
  }

  openRead(path: string): number {
    return this.#openFile(path, true)
  }

  create(path: string): number {
    if (!this.#names.has(path)) {
      this.#refuse(path)
      const file = new SimulatedFile()
      this.#rename(dirname(path), (names) => names.set(path, file))
    }
    return this.#openFile(path, false)
  }

  close(descriptor: number): void {
    this.#at(descriptor)
    this.#open.delete(descriptor)
  }

  pread(descriptor: number, { buffer, offset, length, position }: Span): number {
    const { bytes } = this.#at(descriptor).file
    if (position >= bytes.length) return 0
    return bytes.copy(buffer, offset, position, Math.min(position + length, bytes.length))
  }

  pwrite(descriptor: number, { buffer, offset, length, position }: Span): void {
    const { file, path, isReadOnly } = this.#at(descriptor)
    if (isReadOnly) throw systemError('EBADF', path)
    this.#refuse(path)
    this.#change()
    if (this.#isFailing('write', path)) throw systemError('EIO', path)
    file.write(buffer.subarray(offset, offset + length), position)
  }

  fdatasync(descriptor: number): void {
    const { file, path } = this.#at(descriptor)
    if (this.refusal?.code === 'EIO') this.#refuse(path)
    this.#change()
    if (this.#isFailing('sync', path)) {
      file.failSync(this.#random)
      throw systemError('EIO', path)
    }
    file.sync()
  }

  truncate(descriptor: number, length: number): void {
    this.#change()
    this.#at(descriptor).file.resize(length)
  }

  size(descriptor: number): number {
    return this.#at(descriptor).file.bytes.length
  }

  exists(path: string): boolean {
    return this.#names.has(path) || this.#directories.has(path)
  }

  makeDirectory(path: string): void {
    for (let at = path; !this.#directories.has(at); at = dirname(at)) this.#directories.add(at)
  }

  list(path: string): { name: string; isDirectory: boolean }[] {
    if (!this.#directories.has(path)) throw systemError('ENOENT', path)
    const inside = (all: Iterable<string>) =>
      [...all]
        .filter((at) => at !== '/' && dirname(at) === path)
        .map((at) => at.slice(path.length + 1))
    return [
      ...inside(this.#names.keys()).map((name) => ({ name, isDirectory: false })),
      ...inside(this.#directories).map((name) => ({ name, isDirectory: true })),
    ]
  }

  remove(path: string): void {
    for (const at of [...this.#names.keys()].filter((name) => isUnder(name, path))) {
      this.#rename(dirname(at), (names) => names.delete(at))
    }
    for (const at of this.#directories) if (isUnder(at, path)) this.#directories.delete(at)
  }

  rename(source: string, target: string): void {
    const file = this.#names.get(source)
    if (file === undefined) throw systemError('ENOENT', source)
    this.#rename(dirname(target), (names) => {
      names.delete(source)
      names.set(target, file)
    })
  }

  /** What of a file a power failure leaves for certain. */
  durableFile(path: string): Buffer {
    return this.#durableNames.get(path)?.durable ?? Buffer.alloc(0)
  }

  readFile(path: string): Buffer {
    const file = this.#names.get(path)
    if (file === undefined) throw systemError('ENOENT', path)
    return Buffer.from(file.bytes)
  }

  syncDirectory(path: string): void {
    if (!this.#directories.has(path)) throw systemError('ENOENT', path)
    this.#change()
    for (const change of this.#pending.get(path) ?? []) change(this.#durableNames)
    this.#pending.delete(path)
  }

  #rename(directory: string, change: NameChange): void {
    if (!this.#directories.has(directory)) throw systemError('ENOENT', directory)
    this.#change()
    change(this.#names)
    const pending = this.#pending.get(directory) ?? []
    this.#pending.set(directory, [...pending, change])
  }

  #openFile(path: string, isReadOnly: boolean): number {
    const file = this.#names.get(path)
    if (file === undefined) throw systemError('ENOENT', path)
    this.#open.set(this.#nextDescriptor, { file, path, isReadOnly })
    return this.#nextDescriptor++
  }

  #at(descriptor: number): { file: SimulatedFile; path: string; isReadOnly: boolean } {
    const open = this.#open.get(descriptor)
    if (open === undefined) throw systemError('EBADF', String(descriptor))
    return open
  }

  #change(): void {
    if (this.changes >= this.failAt) throw new PowerFailure(`at change ${this.changes}`)
    this.changes++
  }

  #isFailing(what: 'write' | 'sync', path: string): boolean {
    const isGuarded = this.fences !== null && path.includes(this.fences)
    const isFenced = isGuarded && this.#fenced.has(what)
    if (isFenced) throw new FenceError(`a ${what} of ${path} follows one that failed`)
    if (this.calls++ !== this.failCallAt) return false
    if (isGuarded) this.#fenced.add(what)
    return true
  }

  #refuse(path: string): void {
    if (this.refusal !== null && path.includes(this.refusal.path)) {
      throw systemError(this.refusal.code, path)
    }
  }
}

function isUnder(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, errno: -1, path })
}
