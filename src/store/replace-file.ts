import { dirname } from 'node:path'
import type { Disk } from '../base/disk.ts'

/** Old or new content, never a mixture, whenever the process or the machine ends. Durable. */
export function replaceFile(disk: Disk, path: string, content: Buffer): void {
  const temporary = `${path}.tmp`
  disk.remove(temporary)
  const descriptor = disk.create(temporary)
  disk.pwrite(descriptor, { buffer: content, offset: 0, length: content.length, position: 0 })
  disk.fdatasync(descriptor)
  disk.close(descriptor)
  disk.rename(temporary, path)
  disk.syncDirectory(dirname(path))
}
