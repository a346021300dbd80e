import type { Log } from '../log/log.ts'
import { encodeProperties } from '../protocol/message.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { MainLog } from './main-log.ts'
import type { MessageDraft } from './message-draft.ts'
import { HALF_OP_TOPIC } from './topic-names.ts'

/** Longest body of one op message (Apache 5.3.3, transactionOpMsgMaxSize). */
const BODY_MAX = 4096
const RETRY_MS = 1000

export interface EndedHalvesParts {
  messages: Pick<MainLog, 'append'>
  /** IP (4 or 16 bytes) and a 4-byte port: op messages are born here. */
  host: Uint8Array
  now: () => number
  log: Log
  /** An op message is stored: where, and the highest half that it ends. */
  onStored: (op: { offset: number; highest: number }) => void
}

/** A half message whose end is to be noted; `settled`, if any, hears when it is. */
interface EndedHalf {
  offset: number
  settled: PromiseWithResolvers<void> | null
}

/** Notes in the op queue which half messages have ended: those of one turn in one message. */
export class EndedHalves {
  readonly #parts: EndedHalvesParts
  #ended: EndedHalf[] = []
  #timer: NodeJS.Timeout | undefined
  #isDue = false
  #isClosed = false
  #isStoring: Promise<void> = Promise.resolve()

  constructor(parts: EndedHalvesParts) {
    this.#parts = parts
  }

  /** Its note is stored soon. */
  add(offset: number): void {
    this.#add({ offset, settled: null })
  }

  /** Resolves when its note is stored. Rejects with ResponseError when the broker stops before. */
  addAndWait(offset: number): Promise<void> {
    const settled = Promise.withResolvers<void>()
    this.#add({ offset, settled })
    return settled.promise
  }

  #add(half: EndedHalf): void {
    this.#ended.push(half)
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => this.#store())
  }

  /** Resolves when all that could be stored is. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#store()
    await this.#isStoring
  }

  #store(): void {
    this.#isDue = false
    const ended = this.#ended
    this.#ended = []
    const chunks = chunksOf(ended).map((chunk) => this.#storeChunk(chunk))
    this.#isStoring = Promise.all([this.#isStoring, ...chunks]).then(() => undefined)
  }

  async #storeChunk(chunk: readonly EndedHalf[]): Promise<void> {
    const offsets = chunk.map(({ offset }) => offset)
    try {
      const stored = await this.#parts.messages.append(this.#draft(offsets))
      this.#parts.onStored({ offset: stored.queueOffset, highest: Math.max(...offsets) })
      for (const { settled } of chunk) settled?.resolve()
    } catch (error) {
      this.#parts.log.warn({ error: String(error) }, 'ends of transactions are noted later')
      this.#ended.push(...chunk)
      if (this.#isClosed) return this.#giveUp()
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        this.#store()
      }, RETRY_MS)
    }
  }

  /** The next run asks about them once more. */
  #giveUp(): void {
    for (const { settled } of this.#ended.splice(0)) {
      settled?.reject(new ResponseError('SERVICE_NOT_AVAILABLE', 'the broker stops'))
    }
  }

  #draft(chunk: readonly number[]): MessageDraft {
    const { TAGS, WAIT } = MessageProperty
    const properties = encodeProperties([
      [WAIT, 'true'],
      [TAGS, 'd'],
    ])
    return {
      topic: HALF_OP_TOPIC,
      queueId: 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: this.#parts.now(),
      bornHost: this.#parts.host,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      properties: Buffer.from(properties),
      body: Buffer.from(textOf(chunk)),
    }
  }
}

/** Offsets in a body: `0,1,3,`. Apache's op messages look the same. */
function textOf(offsets: readonly number[]): string {
  return offsets.map((offset) => `${offset},`).join('')
}

export function offsetsIn(body: Uint8Array): number[] {
  const words = Buffer.from(body).toString('latin1').split(',')
  return words.filter((word) => /^\d{1,16}$/.test(word)).map(Number)
}

function chunksOf(ended: readonly EndedHalf[]): EndedHalf[][] {
  const chunks: EndedHalf[][] = []
  let room = 0
  for (const half of ended) {
    const length = String(half.offset).length + 1
    if (length > room) {
      chunks.push([])
      room = BODY_MAX
    }
    chunks.at(-1)!.push(half)
    room -= length
  }
  return chunks
}
