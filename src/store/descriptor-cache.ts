import type { Disk } from '../base/disk.ts'

/**
 * Open files by path, the longest unused closed first: there are more consume queues than a process
 * may have descriptors. Belongs to one thread.
 */
export class DescriptorCache {
  readonly #disk: Disk
  readonly #max: number
  readonly #isReadOnly: boolean
  readonly #open = new Map<string, number>()
  #lastPath = ''
  #last = -1

  constructor(disk: Disk, options: { max: number; isReadOnly?: boolean }) {
    this.#disk = disk
    this.#max = options.max
    this.#isReadOnly = options.isReadOnly ?? false
  }

  /** The descriptor of a file that exists. Valid until the next call. */
  get(path: string): number {
    if (path === this.#lastPath) return this.#last
    let descriptor = this.#open.get(path)
    if (descriptor === undefined) descriptor = this.#openFile(path)
    else this.#open.delete(path) // and back in, as the youngest
    this.#open.set(path, descriptor)
    if (this.#open.size > this.#max) this.#closeOldest()
    this.#lastPath = path
    this.#last = descriptor
    return descriptor
  }

  /** Closes the files of a directory that is about to be deleted. */
  closeUnder(directory: string): void {
    const prefix = `${directory}/`
    for (const path of this.#open.keys()) if (path.startsWith(prefix)) this.#close(path)
  }

  /** Closes one file, if it is open. */
  closeFile(path: string): void {
    if (this.#open.has(path)) this.#close(path)
  }

  closeAll(): void {
    for (const path of this.#open.keys()) this.#close(path)
  }

  #openFile(path: string): number {
    return this.#isReadOnly ? this.#disk.openRead(path) : this.#disk.open(path)
  }

  #closeOldest(): void {
    const [path] = this.#open.keys()
    this.#close(path!)
  }

  #close(path: string): void {
    this.#disk.close(this.#open.get(path)!)
    this.#open.delete(path)
    if (path === this.#lastPath) this.#lastPath = ''
  }
}
