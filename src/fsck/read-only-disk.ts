import { systemDisk, type Disk } from '../base/disk.ts'

function refuse(): never {
  throw new Error('a check does not change the store')
}

/** The real disk, on which nothing can be changed. */
export const readOnlyDisk: Disk = {
  ...systemDisk,
  open: (path) => systemDisk.openRead(path),
  create: refuse,
  pwrite: refuse,
  truncate: refuse,
  remove: refuse,
  rename: refuse,
  makeDirectory: refuse,
}
