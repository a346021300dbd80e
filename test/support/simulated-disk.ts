import { dirname } from 'node:path'
import type { Disk, Span } from '../../src/base/disk.ts'
import type { Random } from '../sim/random.ts'

/** A disk writes or loses this much at once. */
const SECTOR = 512

/** What one file holds now, and what of it a power failure leaves for certain. */
class SimulatedFile {
  bytes = Buffer.alloc(0)
  durable = Buffer.alloc(0)

  resize(length: number): void {
    const bytes = Buffer.alloc(length)
    this.bytes.copy(bytes)
    this.bytes = bytes
  }

  sync(): void {
    this.durable = Buffer.from(this.bytes)
  }

  /** Each sector that was not synced is the new one or the old one. */
  losePower(random: Random): void {
    const length = random.below(2) === 0 ? this.durable.length : this.bytes.length
    const left = Buffer.alloc(length)
    this.durable.copy(left)
    for (let at = 0; at < Math.min(length, this.bytes.length); at += SECTOR) {
      if (random.below(2) === 0) this.bytes.copy(left, at, at, Math.min(at + SECTOR, length))
    }
    this.bytes = left
    this.sync()
  }
}

type Names = Map<string, SimulatedFile>
/** A new or a lost name; those of one directory become durable in their order. */
type NameChange = (names: Names) => void

/** Thrown in the middle of a run: from here on nothing reaches the disk. */
export class PowerFailure extends Error {
  override name = 'PowerFailure'
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
  }

  losePower(): void {
    this.kill()
    for (const changes of this.#pending.values()) {
      const kept = this.#random.below(changes.length + 1)
      for (const change of changes.slice(0, kept)) change(this.#durableNames)
    }
    this.#pending.clear()
    for (const file of new Set(this.#durableNames.values())) file.losePower(this.#random)
    this.#names = new Map(this.#durableNames)
    for (const path of this.#names.keys()) this.makeDirectory(dirname(path))
  }

  /** Everything is durable as it is now. */
  syncAll(): void {
    for (const file of this.#names.values()) file.sync()
    this.#durableNames = new Map(this.#names)
    this.#pending.clear()
  }

  writeFile(path: string, content: Buffer): void {
    const file = new SimulatedFile()
    file.bytes = Buffer.from(content)
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
    if (position + length > file.bytes.length) file.resize(position + length)
    file.bytes.set(buffer.subarray(offset, offset + length), position)
  }

  fdatasync(descriptor: number): void {
    const { file, path } = this.#at(descriptor)
    if (this.refusal?.code === 'EIO') this.#refuse(path)
    this.#change()
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
