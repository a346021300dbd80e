import type { SerializeType } from '../protocol/frame.ts'
import type { ClientSession } from './client-session.ts'

/** What a network worker lacks to handle a request, and main can make. */
export type Ask =
  | { kind: 'topic'; topic: string; defaultTopic: string; queueNums: number }
  | { kind: 'group'; group: string }
  | { kind: 'light'; topics: string[] }

/** A request that waits for what it lacks. */
export interface WaitingRequest {
  /** Null when it lacks a group: pulls have no order among them. */
  topic: string | null
  session: ClientSession
  frame: Buffer
  isOneway: boolean
  opaque: number
  serializeType: SerializeType
  /** How often it was asked for. */
  asks: number
}

const COUNT_MAX = 4096
const BYTES_MAX = 64 * 1024 * 1024

/** Requests that wait for main, by the id they were asked under. */
export class Asks {
  readonly #waiting = new Map<number, WaitingRequest>()
  #bytes = 0
  #nextId = 0

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** The id; -1 when too many wait already. */
  add(request: WaitingRequest): number {
    if (this.#waiting.size >= COUNT_MAX) return -1
    if (this.#bytes + request.frame.length > BYTES_MAX) return -1
    const id = this.#nextId
    this.#nextId = (this.#nextId + 1) & 0x7fffffff
    this.#waiting.set(id, request)
    this.#bytes += request.frame.length
    return id
  }

  /** Undefined when its topic came before main's answer. */
  take(id: number): WaitingRequest | undefined {
    const request = this.#waiting.get(id)
    if (request === undefined) return undefined
    this.#waiting.delete(id)
    this.#bytes -= request.frame.length
    return request
  }

  /** Those that lacked this topic, in the order they came. */
  takeTopic(topic: string): WaitingRequest[] {
    const ids = [...this.#waiting].filter(([, each]) => each.topic === topic).map(([id]) => id)
    return ids.map((id) => this.take(id)!)
  }
}
