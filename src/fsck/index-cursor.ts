import { join } from 'node:path'
import { viewOf } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'
import {
  ITEM_LENGTH,
  itemPosition,
  type IndexFormat,
  type IndexHeader,
  type IndexItem,
} from '../store/index-file.ts'
import { formatOf, headerOf, itemIn } from './index-shape.ts'

const BLOCK_ITEMS = 4096

interface File {
  name: string
  descriptor: number
  header: IndexHeader
  shape: IndexFormat
}

/** Items of all index files in their order, which is the order of the log. */
export class IndexCursor {
  readonly #disk: Disk
  readonly #files: File[] = []
  readonly #bytes = Buffer.alloc(BLOCK_ITEMS * ITEM_LENGTH)
  readonly #view = viewOf(this.#bytes)
  #file = 0
  #nth = 1
  #blockFile = -1
  #blockFrom = 0
  #blockCount = 0

  constructor(disk: Disk, root: string, names: readonly string[]) {
    this.#disk = disk
    for (const name of names) this.#open(join(root, 'index', name), name)
  }

  /** The part of the log that the index speaks of: from the first item's record up to the last one's. */
  get covered(): { from: number; to: number } {
    const [first, last] = [this.#files[0], this.#files.at(-1)]
    if (first === undefined || last === undefined) return { from: Infinity, to: -Infinity }
    return { from: this.#itemOf(first, 1)?.position ?? Infinity, to: this.#lastPosition() }
  }

  /** Goes to the first item of a record at or behind `position`. */
  seek(position: number): void {
    this.#file = 0
    while (this.#file < this.#files.length && this.#endOf(this.#file) < position) this.#file++
    const file = this.#files[this.#file]
    this.#nth = 1
    if (file === undefined) return
    let [low, high] = [1, file.header.count]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#itemOf(file, middle)?.position ?? Infinity) < position) low = middle + 1
      else high = middle
    }
    this.#nth = low
  }

  /** The item here; null behind the last one. */
  peek(): IndexItem | null {
    for (; this.#file < this.#files.length; this.#file++, this.#nth = 1) {
      const file = this.#files[this.#file]!
      if (this.#nth < file.header.count) return this.#itemOf(file, this.#nth)
    }
    return null
  }

  /** The item behind the one here, in the same file. */
  peekAfter(): IndexItem | null {
    const file = this.#files[this.#file]
    if (file === undefined || this.#nth + 1 >= file.header.count) return null
    return this.#itemOf(file, this.#nth + 1)
  }

  next(): void {
    this.#nth++
  }

  /** Of the file that holds the item here. */
  get beginTimestamp(): number {
    return this.#files[this.#file]!.header.beginTimestamp
  }

  /** File and number of the item here. */
  get place(): { name: string; nth: number } {
    return { name: this.#files[this.#file]!.name, nth: this.#nth }
  }

  closeAll(): void {
    for (const { descriptor } of this.#files) this.#disk.close(descriptor)
  }

  #open(path: string, name: string): void {
    const descriptor = this.#disk.openRead(path)
    const shape = formatOf(this.#disk.size(descriptor))
    const header = headerOf(this.#disk, descriptor)
    if (shape === null || header.count <= 1 || header.count > shape.items) {
      this.#disk.close(descriptor) // empty, or the check of the file itself tells of it
      return
    }
    this.#files.push({ name, descriptor, header, shape })
  }

  #endOf(nth: number): number {
    const file = this.#files[nth]!
    return this.#itemOf(file, file.header.count - 1)?.position ?? -1
  }

  #lastPosition(): number {
    return this.#endOf(this.#files.length - 1)
  }

  #itemOf(file: File, nth: number): IndexItem | null {
    const isHere =
      this.#files[this.#blockFile] === file &&
      nth >= this.#blockFrom &&
      nth < this.#blockFrom + this.#blockCount
    if (!isHere) this.#load(file, nth)
    if (nth >= this.#blockFrom + this.#blockCount) return null
    return itemIn(this.#view, (nth - this.#blockFrom) * ITEM_LENGTH)
  }

  #load(file: File, nth: number): void {
    const length = Math.min(BLOCK_ITEMS, file.header.count - nth) * ITEM_LENGTH
    const read = this.#disk.pread(file.descriptor, {
      buffer: this.#bytes,
      offset: 0,
      length,
      position: itemPosition(file.shape, nth),
    })
    this.#blockFile = this.#files.indexOf(file)
    this.#blockFrom = nth
    this.#blockCount = Math.floor(read / ITEM_LENGTH)
  }
}
