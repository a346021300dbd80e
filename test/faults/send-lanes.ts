import { SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { bodyOf, type Ledger, type Sent } from '../support/ledger.ts'
import { properties, sendHeader } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'

const LANES = 8
/** Codes with which a message is stored (Apache 5.3.3). */
const STORED: readonly number[] = [ResponseCode.SUCCESS, ResponseCode.FLUSH_DISK_TIMEOUT]

/** One send and how it went. */
export interface Outcome {
  startedAt: number
  endedAt: number
  code: number
  remark: string
}

/** Sends of one producer to one queue, some at once, each of them noted. */
export class SendLanes {
  readonly outcomes: Outcome[] = []
  readonly #topic: string
  readonly #ledger: Ledger
  #sequence = 0
  /** Behind the last offset that was answered. */
  end = 0

  constructor(topic: string, ledger: Ledger) {
    this.#topic = topic
    this.#ledger = ledger
  }

  /** Until `isEnough`, or the connection ends. */
  async run(client: RawClient, isEnough: (outcomes: readonly Outcome[]) => boolean): Promise<void> {
    const outcomes: Outcome[] = []
    const lanes = Array.from({ length: LANES }, async () => {
      while (!client.isClosed && !isEnough(outcomes)) {
        const outcome = await this.#sendOne(client).catch(() => null)
        if (outcome !== null) outcomes.push(outcome)
      }
    })
    await Promise.all(lanes)
    for (const outcome of outcomes) this.outcomes.push(outcome) // there may be a million
  }

  async #sendOne(client: RawClient): Promise<Outcome> {
    const sent: Sent = { producer: 0, sequence: this.#sequence++ }
    const key = properties({ UNIQ_KEY: `0-${sent.sequence}` })
    const startedAt = performance.now()
    const answer = await client.ask(SendMessageV2, sendHeader(this.#topic, { properties: key }), {
      body: bodyOf(sent),
    })
    const { code, extFields, remark } = answer
    // With FLUSH_DISK_TIMEOUT the outcome is unknown: it is stored, and perhaps not on the disk.
    if (code === ResponseCode.SUCCESS) {
      const offset = Number(extFields!.get('queueOffset'))
      this.#ledger.acknowledge(0, offset, sent)
      this.end = Math.max(this.end, offset + 1)
    }
    return { startedAt, endedAt: performance.now(), code, remark: remark ?? '' }
  }
}

export function isStored({ code }: Outcome): boolean {
  return STORED.includes(code)
}

/** OKs of sends that began after the first one was refused. */
export function okAfterRefusal(outcomes: readonly Outcome[]): number {
  const refused = outcomes.filter((outcome) => !isStored(outcome))
  const since = Math.min(...refused.map(({ endedAt }) => endedAt))
  return outcomes.filter(({ code, startedAt }) => code === 0 && startedAt > since).length
}
