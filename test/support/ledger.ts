import { crc32 } from 'node:zlib'
import type { StoredMessage } from '../../src/protocol/message.ts'

/** One message that a producer sent: its how-manieth. */
export interface Sent {
  producer: number
  sequence: number
}

/** What must never happen, counted. */
export interface Faults {
  /** Acknowledged, and not where the acknowledgement said. */
  lost: number
  /** Offsets that are missing or come twice. */
  holes: number
  /** A queue has a later message of a producer before an earlier one, or the same one twice. */
  disordered: number
  /** Not what was sent. */
  damaged: number
  /** A consumer had seen another message at this offset. */
  changed: number
}

export const NO_FAULTS: Faults = { lost: 0, holes: 0, disordered: 0, damaged: 0, changed: 0 }

const BIG_LENGTH = 100_000

/** Its text and its length follow from whose it is: what was stored can be told from what was sent. */
export function bodyOf({ producer, sequence }: Sent): Buffer {
  const hash = Math.imul(producer * 8191 + sequence + 1, 0x9e3779b1) >>> 0
  const length = hash % 97 === 0 ? BIG_LENGTH : hash % 700
  const head = Buffer.from(`${producer}:${sequence}:`)
  return Buffer.concat([head, Buffer.alloc(length, `${hash}`)])
}

/** What producers were told and consumers have seen, to be held against what a broker has. */
export class Ledger {
  /** By queue, by offset: the message that was acknowledged there. */
  readonly #acknowledged: Map<number, Sent>[]
  /** By queue, by offset: the checksum of the body that a consumer saw there. */
  readonly #seen: Map<number, number>[]

  constructor(queues: number) {
    this.#acknowledged = Array.from({ length: queues }, () => new Map<number, Sent>())
    this.#seen = Array.from({ length: queues }, () => new Map<number, number>())
  }

  get acknowledged(): number {
    return this.#acknowledged.reduce((sum, queue) => sum + queue.size, 0)
  }

  get seen(): number {
    return this.#seen.reduce((sum, queue) => sum + queue.size, 0)
  }

  acknowledge(queueId: number, offset: number, sent: Sent): void {
    this.#acknowledged[queueId]!.set(offset, sent)
  }

  see({ queueId, queueOffset, body }: StoredMessage): void {
    this.#seen[queueId]!.set(queueOffset, crc32(body))
  }

  /** Compares all messages of a queue, from offset 0 on, with what is known of it. */
  check(queueId: number, messages: readonly StoredMessage[]): Faults {
    const faults = { ...NO_FAULTS }
    const last = new Map<number, number>()
    for (const [nth, { queueOffset, body }] of messages.entries()) {
      if (queueOffset !== nth) faults.holes++
      const sent = readBody(body)
      if (sent === null || !bodyOf(sent).equals(body)) faults.damaged++
      else if (sent.sequence <= (last.get(sent.producer) ?? -1)) faults.disordered++
      else last.set(sent.producer, sent.sequence)
      const seen = this.#seen[queueId]!.get(queueOffset)
      if (seen !== undefined && seen !== crc32(body)) faults.changed++
    }
    for (const offset of this.#seen[queueId]!.keys()) {
      if (offset >= messages.length) faults.changed++
    }
    for (const [offset, sent] of this.#acknowledged[queueId]!) {
      const found = messages[offset]
      if (found === undefined || !bodyOf(sent).equals(found.body)) faults.lost++
    }
    return faults
  }
}

function readBody(body: Uint8Array): Sent | null {
  const match = /^(\d+):(\d+):/.exec(Buffer.from(body.subarray(0, 30)).toString('latin1'))
  return match === null ? null : { producer: Number(match[1]), sequence: Number(match[2]) }
}
