import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { replaceFile } from './replace-file.ts'

const FILE = 'ringmq-deleted-topics'

/**
 * Topics that were deleted, with the end of the log at that time: when recovery meets their records
 * it must not bring them back. One line per topic, `position topic`.
 */
export class DeletedTopics {
  readonly #disk: Disk
  readonly #path: string
  readonly #below = new Map<string, number>()

  constructor(disk: Disk, root: string) {
    this.#disk = disk
    this.#path = join(root, FILE)
    if (disk.exists(this.#path)) this.#parse(disk.readFile(this.#path).toString())
  }

  get below(): ReadonlyMap<string, number> {
    return this.#below
  }

  /** Durable when it returns. */
  add(topic: string, position: number): void {
    this.#below.set(topic, position)
    this.#write()
  }

  /**
   * After recovery: topics whose records the log no longer has are forgotten. A log that has become
   * shorter has new records where the position says old ones.
   */
  keepWithin({ minPosition, end }: { minPosition: number; end: number }): void {
    const before = JSON.stringify([...this.#below])
    for (const [topic, position] of this.#below) {
      if (position <= minPosition) this.#below.delete(topic)
      else if (position > end) this.#below.set(topic, end)
    }
    if (JSON.stringify([...this.#below]) !== before) this.#write()
  }

  #parse(text: string): void {
    for (const line of text.split('\n')) {
      const [, position, topic] = /^(\d+) (.+)$/.exec(line) ?? []
      if (topic !== undefined) this.#below.set(topic, Number(position))
    }
  }

  #write(): void {
    const text = [...this.#below].map(([topic, position]) => `${position} ${topic}\n`).join('')
    replaceFile(this.#disk, this.#path, Buffer.from(text))
  }
}
