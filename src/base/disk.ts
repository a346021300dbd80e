import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'

/** Where and how much: `buffer[offset, offset + length)` against the file from `position`. All in bytes. */
export interface Span {
  buffer: Uint8Array
  offset: number
  length: number
  position: number
}

/** Of a file system, in bytes. What root keeps for itself counts as neither. */
export interface DiskUsage {
  used: number
  usable: number
}

/**
 * Every touch of the store on the disk goes through here: real, or simulated from a seed. All calls
 * are synchronous and throw Node's system errors (`code` is ENOSPC, EIO, …).
 */
export interface Disk {
  /** Opens a file that exists for reading and writing. */
  open(path: string): number
  /** The same, and makes the file when it is not there. */
  create(path: string): number
  openRead(path: string): number
  close(descriptor: number): void
  /** Bytes read; fewer than asked for only at the end of the file. */
  pread(descriptor: number, span: Span): number
  /** Writes all of it: short writes are looped. */
  pwrite(descriptor: number, span: Span): void
  fdatasync(descriptor: number): void
  truncate(descriptor: number, length: number): void
  size(descriptor: number): number
  exists(path: string): boolean
  makeDirectory(path: string): void
  list(path: string): { name: string; isDirectory: boolean }[]
  remove(path: string): void
  rename(source: string, target: string): void
  readFile(path: string): Buffer
  /** Makes entries of a directory (new names, renames) durable. */
  syncDirectory(path: string): void
  /** Of the file system that holds the path. Costs nothing: the kernel knows the figures. */
  usage(path: string): DiskUsage
}

function pread(descriptor: number, { buffer, offset, length, position }: Span): number {
  let done = 0
  while (done < length) {
    const count = readSync(descriptor, buffer, offset + done, length - done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}

function pwrite(descriptor: number, { buffer, offset, length, position }: Span): void {
  let done = 0
  while (done < length) {
    done += writeSync(descriptor, buffer, offset + done, length - done, position + done)
  }
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function usage(path: string): DiskUsage {
  const { bsize, blocks, bfree, bavail } = statfsSync(path)
  return { used: (blocks - bfree) * bsize, usable: bavail * bsize }
}

function create(path: string): number {
  return openSync(path, existsSync(path) ? 'r+' : 'w+')
}

export const systemDisk: Disk = {
  open: (path) => openSync(path, 'r+'),
  create,
  openRead: (path) => openSync(path, 'r'),
  close: closeSync,
  pread,
  pwrite,
  fdatasync: fdatasyncSync,
  truncate: ftruncateSync,
  size: (descriptor) => fstatSync(descriptor).size,
  exists: existsSync,
  makeDirectory: (path) => void mkdirSync(path, { recursive: true }),
  list: (path) =>
    readdirSync(path, { withFileTypes: true }).map((entry) => ({
      name: entry.name,
      isDirectory: entry.isDirectory(),
    })),
  remove: (path) => rmSync(path, { recursive: true, force: true }),
  rename: renameSync,
  readFile: (path) => readFileSync(path),
  syncDirectory,
  usage,
}
