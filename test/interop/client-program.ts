import { LineProcess, within } from './line-process.ts'
import type { LineProcessOptions } from './line-process.ts'

/** How Apache's clients encode the header of every frame they send. */
export type SerializeType = 'JSON' | 'ROCKETMQ'

/** Where the message with this number landed. */
export interface Sent {
  number: number
  queueId: number
  offset: number
  tag: string | null
  keys: string | null
  /** CRC-32 of the body as the application sees it. */
  crc: number
  offsetMessageId: string | null
  /** When, in ms since 1970, the answer was there. */
  at: number
}

export interface Received extends Omit<Sent, 'offsetMessageId'> {
  /** 0 unless it was delivered before. */
  attempt: number
}

export interface BrokerPlace {
  brokerName: string
  cluster: string
  addresses: Record<string, string>
}

export interface QueueGroup {
  brokerName: string
  readQueues: number
  writeQueues: number
  permission: number
}

/** Every event our programs print, by name. */
export interface ProgramEvents {
  started: { vipChannel?: boolean; serializeType?: SerializeType }
  sent: Sent
  /** The id that the producer gave a message. */
  traced: { id: string }
  refused: { number: number; reason: string }
  /** Called back; whether the answer named the message. */
  recalled: { number: number; isSame: boolean }
  message: Received
  queues: { queueIds: number[] }
  queue: { queueId: number; minOffset: number; maxOffset: number }
  waiting: { offset: number }
  allSent: Record<string, never>
  /** The broker wants to know what became of a transaction. */
  asked: { topic: string; transaction: string | null }
  /** What a request was answered. */
  answered: { number: number; topic: string; body: string; type: string }
  replied: { status: string; queueId: number; offset: number }
  unanswered: { reason: string }
  done: Record<string, never>
  answer: {
    error?: string
    printed?: string
    topics?: string[]
    clusters?: Record<string, string[]>
    brokers?: BrokerPlace[]
    queues?: QueueGroup[] | Record<string, [number, number]>
    messages?: { queueId: number; offset: number; crc: number }[]
  }
}

export type EventName = keyof ProgramEvents

/** How to start one. */
export type ProgramCommand = Omit<LineProcessOptions, 'onLine'>

interface Waiter {
  event: EventName
  matches: (event: never) => boolean
  resolve: (event: never) => void
}

/** A program around somebody's client, in a process of its own: it prints events, one JSON line each. */
export class ClientProgram {
  readonly #process: LineProcess
  readonly #events = new Map<EventName, unknown[]>()
  readonly #waiters = new Set<Waiter>()

  constructor(command: ProgramCommand) {
    this.#process = new LineProcess({ ...command, onLine: (line) => this.#take(line) })
  }

  /** Everything printed so far under this name, oldest first. */
  of<Name extends EventName>(name: Name): ProgramEvents[Name][] {
    const list = this.#events.get(name) ?? []
    this.#events.set(name, list)
    return list as ProgramEvents[Name][]
  }

  /** The first event of this name that matches: one already printed, or the next to come. */
  until<Name extends EventName>(
    event: Name,
    matches: (event: ProgramEvents[Name]) => boolean = () => true,
    durationMs = 60_000,
  ): Promise<ProgramEvents[Name]> {
    const past = this.of(event).find(matches)
    if (past !== undefined) return Promise.resolve(past)
    return this.#next(event, matches, durationMs)
  }

  /** Like `until`, but of what was printed already only the last counts: for events that tell a state. */
  untilNow<Name extends EventName>(
    event: Name,
    matches: (event: ProgramEvents[Name]) => boolean,
    durationMs = 60_000,
  ): Promise<ProgramEvents[Name]> {
    const last = this.of(event).at(-1)
    if (last !== undefined && matches(last)) return Promise.resolve(last)
    return this.#next(event, matches, durationMs)
  }

  /** Resolves when so many events of this name have been printed. */
  async untilCount(event: EventName, count: number, durationMs = 60_000): Promise<void> {
    const list = this.of(event)
    if (list.length < count) await this.#next(event, () => list.length >= count, durationMs)
  }

  /** Writes a command and waits for what it answers; throws what Apache's client threw. */
  async ask(command: string): Promise<ProgramEvents['answer']> {
    const next = this.#next('answer', () => true, 30_000)
    this.#process.write(command)
    const answer = await next
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }

  /** Asks it to end in its own time and waits for that. */
  async stop(): Promise<void> {
    this.#process.write('stop')
    await this.finish()
  }

  /** Waits for a clean end. */
  async finish(durationMs = 60_000): Promise<void> {
    const exit = await within(this.#process.exited, durationMs, 'the end', this.#process)
    if (exit !== 0) throw new Error(`not a clean end: ${this.#process.describe()}`)
  }

  /** kill -9: the connections break, nothing is said good-bye. */
  async kill(): Promise<void> {
    this.#process.signal('SIGKILL')
    await this.#process.exited
  }

  async #next<Name extends EventName>(
    event: Name,
    matches: (event: ProgramEvents[Name]) => boolean,
    durationMs: number,
  ): Promise<ProgramEvents[Name]> {
    const { promise, resolve } = Promise.withResolvers<ProgramEvents[Name]>()
    const waiter: Waiter = { event, matches, resolve }
    this.#waiters.add(waiter)
    const ended = this.#process.exited.then((exit) => {
      throw new Error(`ended with ${exit} before "${event}"\n${this.#process.describe()}`)
    })
    const either = Promise.race([promise, ended])
    return within(either, durationMs, event, this.#process).finally(() => {
      this.#waiters.delete(waiter)
    })
  }

  #take(line: string): void {
    if (!line.startsWith('{"event":')) return // Apache's clients now and then print a line of their own
    const event = JSON.parse(line) as { event: EventName }
    this.of(event.event).push(event as never)
    for (const waiter of this.#waiters) {
      if (waiter.event === event.event && waiter.matches(event as never))
        waiter.resolve(event as never)
    }
  }
}
