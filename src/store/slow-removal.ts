import type { Disk } from '../base/disk.ts'

/** A file system frees so much in some 15 ms; 640 MiB at once took ext4 half a second. */
const STEP = 16 * 1024 * 1024
const STEP_PAUSE_MS = 5

/**
 * Removes a file, and gives its space back in steps with pauses between, in ms: all at once a large
 * one would hold up every write to that file system. Its name goes first, and the kernel frees
 * what has no name when a process dies: no start ever finds a file of another length.
 */
export function* removeSlowly(disk: Disk, path: string): Generator<number, void> {
  const descriptor = disk.open(path)
  try {
    disk.remove(path)
    for (let left = disk.size(descriptor) - STEP; left > 0; left -= STEP) {
      disk.truncate(descriptor, left)
      yield STEP_PAUSE_MS
    }
  } finally {
    disk.close(descriptor)
  }
}
