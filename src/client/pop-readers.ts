import type { Cluster } from './cluster.ts'
import { queueKey, type MessageQueue } from './message-queue.ts'
import type { PopAnswers } from './pop-answers.ts'
import type { PopDelivery } from './pop-delivery.ts'
import { isWantedMessage, pop, type PopOptions } from './pop.ts'
import type { Assignee } from './rebalance.ts'
import type { PoppedState } from './running-info.ts'
import type { Subscription } from './subscription.ts'

export interface PopReadersParts extends Pick<PopOptions, 'countMax' | 'invisibleMs' | 'initMode'> {
  readonly cluster: Cluster
  readonly group: string
  readonly answers: PopAnswers
  readonly delivery: PopDelivery
  /** Messages of one queue that may wait for their listener before no more are taken. */
  readonly waitingMax: number
  /** By topic. */
  readonly subscriptions: ReadonlyMap<string, Subscription>
}

/** Source: Apache 5.3.3, push consumer. */
const HOLD_MS = 15_000
const FAILED_MS = 1000

/** The queues that one client pops from, by the broker's word; -1 stands for all of a broker. */
export class PopReaders implements Assignee {
  readonly #parts: PopReadersParts
  /** By queueKey. */
  readonly #readers = new Map<string, PopReader>()

  constructor(parts: PopReadersParts) {
    this.#parts = parts
  }

  get queues(): MessageQueue[] {
    return Array.from(this.#readers.values(), ({ queue }) => queue)
  }

  get states(): PoppedState[] {
    return Array.from(this.#readers.values(), (reader) => reader.state)
  }

  async assign(topic: string, queues: readonly MessageQueue[]): Promise<boolean> {
    const keys = new Set(queues.map(queueKey))
    this.#dropAll((queue) => queue.topic === topic && !keys.has(queueKey(queue)))
    for (const queue of queues) this.#begin(queue)
    return true
  }

  async retain(isSubscribed: (topic: string) => boolean): Promise<void> {
    this.#dropAll(({ topic }) => !isSubscribed(topic))
  }

  /** When the background is stopped: no reader waits for room any more. */
  wake(): void {
    for (const reader of this.#readers.values()) reader.wake()
  }

  #begin(queue: MessageQueue): void {
    const key = queueKey(queue)
    const { background } = this.#parts.cluster
    if (this.#readers.has(key) || background.isStopped) return
    const reader = new PopReader(queue, this.#parts)
    this.#readers.set(key, reader)
    background.run(`popping ${key}`, () => reader.run())
  }

  /** What they have popped is consumed and acknowledged all the same: it is this client's alone for a while. */
  #dropAll(isLost: (queue: MessageQueue) => boolean): void {
    for (const [key, reader] of this.#readers) {
      if (!isLost(reader.queue)) continue
      reader.drop()
      this.#readers.delete(key)
    }
  }
}

class PopReader {
  readonly queue: MessageQueue
  readonly #parts: PopReadersParts
  #isDropped = false
  #isFailing = false
  #waiting = 0
  #poppedAt = 0
  #onRoom: (() => void) | null = null

  constructor(queue: MessageQueue, parts: PopReadersParts) {
    this.queue = queue
    this.#parts = parts
  }

  get state(): PoppedState {
    return { queue: this.queue, waiting: this.#waiting, poppedAt: this.#poppedAt }
  }

  drop(): void {
    this.#isDropped = true
    this.wake()
  }

  wake(): void {
    this.#onRoom?.()
    this.#onRoom = null
  }

  async run(): Promise<void> {
    while (!this.#isOver()) {
      await this.#hasRoom()
      if (!this.#isOver()) await this.#turn()
    }
  }

  #isOver(): boolean {
    return this.#isDropped || this.#parts.cluster.background.isStopped
  }

  async #turn(): Promise<void> {
    const { cluster, group, subscriptions, countMax, invisibleMs, initMode } = this.#parts
    const { queue } = this
    const subscription = subscriptions.get(queue.topic)
    if (subscription === undefined) return this.drop()
    this.#poppedAt = cluster.clock.now()
    const options = { group, subscription, countMax, invisibleMs, initMode, holdMs: HOLD_MS }
    try {
      const { messages, isFull } = await pop(cluster, queue, options)
      this.#take(messages.filter((each) => this.#isWanted(each)))
      this.#isFailing = false
      if (isFull) await cluster.background.sleep(FAILED_MS)
    } catch (error) {
      await this.#afterFailure(error)
    }
  }

  #isWanted(popped: Parameters<PopAnswers['passOver']>[0]): boolean {
    const subscription = this.#parts.subscriptions.get(this.queue.topic)
    if (subscription !== undefined && isWantedMessage(subscription, popped)) return true
    this.#parts.answers.passOver(popped)
    return false
  }

  #take(messages: Parameters<PopDelivery['deliver']>[1]): void {
    this.#waiting += messages.length
    this.#parts.delivery.deliver(this.queue, messages, (count) => {
      this.#waiting -= count
      if (this.#waiting <= this.#parts.waitingMax) this.wake()
    })
  }

  async #hasRoom(): Promise<void> {
    if (this.#waiting <= this.#parts.waitingMax) return
    await new Promise<void>((resolve) => (this.#onRoom = resolve))
  }

  async #afterFailure(error: unknown): Promise<void> {
    if (this.#isOver()) return
    const { background } = this.#parts.cluster
    // Once per outage: with a second between tries it would fill the log.
    if (!this.#isFailing) background.report(`cannot pop ${queueKey(this.queue)}`, error)
    this.#isFailing = true
    await background.sleep(FAILED_MS)
  }
}
