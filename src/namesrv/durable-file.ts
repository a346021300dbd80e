import { dirname } from 'node:path'

import { type Disk, systemDisk } from '../base/disk.ts'

/**
 * Makes `text` the content of a file. Whatever happens, the file or its `.bak`, the generation
 * before, is whole. Durable when it returns.
 */
export function replaceFile(path: string, text: string, disk: Disk = systemDisk): void {
  const folder = dirname(path)
  disk.makeDirectory(folder)
  writeDurably(`${path}.tmp`, Buffer.from(text), disk)
  if (disk.exists(path)) disk.rename(path, `${path}.bak`)
  disk.rename(`${path}.tmp`, path)
  disk.syncDirectory(folder)
}

function writeDurably(path: string, bytes: Buffer, disk: Disk): void {
  const descriptor = disk.create(path)
  try {
    disk.truncate(descriptor, 0) // one left by a crash may be longer
    disk.pwrite(descriptor, { buffer: bytes, offset: 0, length: bytes.length, position: 0 })
    disk.fdatasync(descriptor)
  } finally {
    disk.close(descriptor)
  }
}
