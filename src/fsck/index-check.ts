import { join } from 'node:path'
import { viewOf } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'
import { Findings, Part, type FoundSome } from './finding.ts'
import {
  ITEM_LENGTH,
  itemPosition,
  SLOT_LENGTH,
  slotPosition,
  type IndexFormat,
  type IndexHeader,
  type IndexItem,
} from '../store/index-file.ts'
import { formatOf, headerOf, itemIn } from './index-shape.ts'
import type { StoreMap } from './store-map.ts'

const READ_ITEMS = 50_000
const READ_SLOTS = 250_000

export interface IndexChecked {
  items: number
  found: FoundSome
}

/** One index file: what its header, its slots and its chains say must follow from its items. */
export class IndexCheck {
  readonly #disk: Disk
  readonly #name: string
  readonly #path: string
  readonly #findings = new Findings()

  constructor(disk: Disk, map: StoreMap, name: string) {
    this.#disk = disk
    this.#name = name
    this.#path = join(map.root, 'index', name)
  }

  run(): IndexChecked {
    const descriptor = this.#disk.openRead(this.#path)
    const length = this.#disk.size(descriptor)
    const shape = formatOf(length)
    const header = headerOf(this.#disk, descriptor)
    let items = 0
    if (shape === null) this.#tell(`the file has ${length} bytes, which is no length of an index`)
    else if (header.count > shape.items) {
      this.#tell(`the header says ${header.count} items, and there is room for ${shape.items}`)
    } else {
      items = header.count - 1
      this.#check(descriptor, header, shape)
    }
    this.#disk.close(descriptor)
    return { items, found: this.#findings.found() }
  }

  #check(descriptor: number, header: IndexHeader, shape: IndexFormat): void {
    const heads = new Int32Array(shape.slots)
    const walked = this.#walkItems(descriptor, { header, shape, heads })
    this.#checkSlots(descriptor, { header, shape, heads })
    const used = heads.reduce((count, head) => count + (head > 0 ? 1 : 0), 0)
    if (used !== header.usedSlots) {
      this.#tell(`the header says ${header.usedSlots} slots are in use, ${used} are`)
    }
    if (walked === null) return
    const { first, last } = walked
    if (first !== header.beginPosition || last !== header.endPosition) {
      this.#tell(
        `the header says positions ${header.beginPosition} to ${header.endPosition}, the items ${first} to ${last}`,
      )
    }
    if (header.beginTimestamp > header.endTimestamp) this.#tell('the header ends before it begins')
  }

  /** Fills `heads` with the newest item of each slot; null without items. */
  #walkItems(
    descriptor: number,
    { header, shape, heads }: { header: IndexHeader; shape: IndexFormat; heads: Int32Array },
  ): { first: number; last: number } | null {
    const buffer = Buffer.allocUnsafe(READ_ITEMS * ITEM_LENGTH)
    const view = viewOf(buffer)
    let [first, last] = [-1, -1]
    for (let from = 1; from < header.count; from += READ_ITEMS) {
      const count = Math.min(READ_ITEMS, header.count - from)
      const span = {
        buffer,
        offset: 0,
        length: count * ITEM_LENGTH,
        position: itemPosition(shape, from),
      }
      this.#disk.pread(descriptor, span)
      for (let nth = 0; nth < count; nth++) {
        const item = itemIn(view, nth * ITEM_LENGTH)
        this.#checkItem(item, from + nth, heads)
        if (item.position < last) this.#tell(`item ${from + nth} points before the one before it`)
        if (first === -1) first = item.position
        last = item.position
      }
    }
    return header.count > 1 ? { first, last } : null
  }

  #checkItem(item: IndexItem, nth: number, heads: Int32Array): void {
    if (item.hash < 0 || item.seconds < 0 || item.position < 0) {
      this.#tell(`item ${nth} has a negative number`)
      return
    }
    const slot = item.hash % heads.length
    if (item.previous !== heads[slot]) {
      this.#tell(
        `item ${nth} says that item ${item.previous} is before it in slot ${slot}, it is ${heads[slot]}`,
      )
    }
    heads[slot] = nth
  }

  /** A slot that names an item behind the count was written before the header was: its chain leads back. */
  #checkSlots(
    descriptor: number,
    { header, shape, heads }: { header: IndexHeader; shape: IndexFormat; heads: Int32Array },
  ): void {
    const buffer = Buffer.allocUnsafe(Math.min(READ_SLOTS, shape.slots) * SLOT_LENGTH)
    const view = viewOf(buffer)
    for (let from = 0; from < shape.slots; from += READ_SLOTS) {
      const count = Math.min(READ_SLOTS, shape.slots - from)
      const position = slotPosition(from)
      this.#disk.pread(descriptor, { buffer, offset: 0, length: count * SLOT_LENGTH, position })
      for (let nth = 0; nth < count; nth++) {
        const value = view.getInt32(nth * SLOT_LENGTH)
        const expected = heads[from + nth]!
        if (value === expected) continue
        if (
          value >= header.count &&
          this.#leadsTo(descriptor, { shape, value, header }) === expected
        )
          continue
        this.#tell(`slot ${from + nth} says item ${value}, its newest is ${expected}`)
      }
    }
  }

  #leadsTo(
    descriptor: number,
    { shape, value, header }: { shape: IndexFormat; value: number; header: IndexHeader },
  ): number {
    const buffer = Buffer.alloc(ITEM_LENGTH)
    let nth = value
    while (nth >= header.count && nth < shape.items) {
      const position = itemPosition(shape, nth)
      this.#disk.pread(descriptor, { buffer, offset: 0, length: ITEM_LENGTH, position })
      const { previous } = itemIn(viewOf(buffer), 0)
      if (previous >= nth) return -1
      nth = previous
    }
    return nth
  }

  #tell(text: string): void {
    this.#findings.add({ part: Part.INDEX, file: `index/${this.#name}`, text })
  }
}
