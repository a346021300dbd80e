/** What the two kinds of groups are promised. */
export interface ChurnFaults {
  /** Acknowledged, and never consumed. */
  lost: number
  /** Consumed, and never sent so. */
  foreign: number
  /** A member that had not left got a message twice while the broker ran. */
  repeated: number
  /** In order: a message was passed over, or came again although its lock had not been lost with a broker. */
  disordered: number
}

export interface ChurnCounts {
  acknowledged: number
  /** Messages consumed at least once. */
  consumed: number
  /** Times that a message was consumed once more: a member had left or come, or the broker was killed. */
  again: number
}

interface InOrder {
  /** The last offset that was consumed. */
  offset: number
  /** During which life of the broker. */
  life: number
  /** Of each producer, its last message. */
  sequences: Map<string, number>
}

/** What was sent and consumed, held against each other as it happens. */
export class ChurnLedger {
  readonly faults: ChurnFaults = { lost: 0, foreign: 0, repeated: 0, disordered: 0 }
  readonly #acknowledged = new Map<string, Set<string>>()
  readonly #consumed = new Map<string, Set<string>>()
  readonly #seenByMember = new Set<string>()
  readonly #inOrder = new Map<number, InOrder>()
  /** Rises with each kill of the broker. */
  life = 0
  readonly #again = new Map<string, number>()

  acknowledge(topic: string, text: string): void {
    setOf(this.#acknowledged, topic).add(text)
  }

  /** A member of the group that shares queues: any order, and once more after any change. */
  share(member: string, topic: string, text: string): void {
    const mark = `${this.life} ${member} ${text}`
    if (this.#seenByMember.has(mark)) this.faults.repeated++
    this.#seenByMember.add(mark)
    this.#consume(topic, text)
  }

  /** Whoever has the lock of the queue: no offset is passed over, and none comes again within a life. */
  takeInOrder(topic: string, queueId: number, offset: number, text: string): void {
    const last = this.#inOrder.get(queueId) ?? { offset: -1, life: -1, sequences: new Map() }
    const isNext = offset === last.offset + 1
    const isRewound = offset <= last.offset && this.life > last.life
    if (!isNext && !isRewound) this.faults.disordered++
    const [producer = '', sequence = ''] = text.split(':')
    const isLater = Number(sequence) > (last.sequences.get(producer) ?? -1)
    if (isNext && !isLater && !this.#isConsumed(topic, text)) this.faults.disordered++
    if (isLater) last.sequences.set(producer, Number(sequence))
    this.#inOrder.set(queueId, { ...last, offset, life: this.life })
    this.#consume(topic, text)
  }

  missing(topic: string): number {
    const consumed = setOf(this.#consumed, topic)
    return [...setOf(this.#acknowledged, topic)].filter((text) => !consumed.has(text)).length
  }

  counts(topic: string): ChurnCounts {
    const acknowledged = setOf(this.#acknowledged, topic).size
    const again = this.#again.get(topic) ?? 0
    return { acknowledged, consumed: setOf(this.#consumed, topic).size, again }
  }

  close(topics: readonly string[]): ChurnFaults {
    for (const topic of topics) this.faults.lost += this.missing(topic)
    return this.faults
  }

  #isConsumed(topic: string, text: string): boolean {
    return setOf(this.#consumed, topic).has(text)
  }

  #consume(topic: string, text: string): void {
    if (!/^[\w-]+:\d+$/.test(text)) this.faults.foreign++
    const consumed = setOf(this.#consumed, topic)
    if (consumed.has(text)) this.#again.set(topic, (this.#again.get(topic) ?? 0) + 1)
    consumed.add(text)
  }
}

function setOf(sets: Map<string, Set<string>>, topic: string): Set<string> {
  const set = sets.get(topic) ?? new Set()
  sets.set(topic, set)
  return set
}
