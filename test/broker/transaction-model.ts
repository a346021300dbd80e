import assert from 'node:assert/strict'
import fc from 'fast-check'
import { TransactionOutcome } from '../../src/protocol/requests/transaction.ts'
import { type HalfPlace, TransactionWorld } from './transaction-world.ts'

const { COMMIT, ROLLBACK, UNKNOWN } = TransactionOutcome

type Outcome = typeof COMMIT | typeof ROLLBACK | typeof UNKNOWN

interface Step {
  kind: 'half' | 'end' | 'write' | 'dispatch' | 'save' | 'crash' | 'refuse' | 'check'
  /** Which transaction, how many records. */
  nth: number
  outcome: Outcome
}

/** One transaction, as its producer knows it. */
interface Known {
  key: string
  place: HalfPlace
  /** What the local transaction came to: a producer that is asked says so. */
  decision: Outcome
  /** What was ever said of it. */
  said: Set<Outcome>
  /** How often it can be read, from the first answered end on and for ever; null before that. */
  settled: number | null
}

const OUTCOMES: Outcome[] = [COMMIT, ROLLBACK, UNKNOWN]

const step = fc.record<Step>({
  kind: fc.constantFrom(
    ...(['half', 'end', 'end', 'end', 'write', 'write', 'dispatch', 'save', 'crash'] as const),
    ...(['refuse', 'check'] as const),
  ),
  nth: fc.nat(7),
  outcome: fc.constantFrom(...OUTCOMES),
})

/**
 * Half messages, their ends in any order and number, checks, refusals and crashes between: no message is
 * delivered twice or against what was said, and what an answered end came to stays so, over every crash. In the
 * end everything has an outcome: the one that its producer decided on when it said nothing else.
 */
export const transactionProperty = fc.asyncProperty(
  fc.array(step, { maxLength: 40, size: 'max' }),
  fc.boolean(),
  fc.array(fc.constantFrom<Outcome>(COMMIT, ROLLBACK), { minLength: 1, maxLength: 4 }),
  async (steps, isHonest, decisions) => {
    const model = new TransactionModel(isHonest, decisions)
    for (const each of steps) await model.step(each)
    await model.finish()
  },
)

class TransactionModel {
  readonly #world = new TransactionWorld()
  readonly #known: Known[] = []
  readonly #isHonest: boolean
  /** What was found wrong between two steps. */
  readonly #wrong: unknown[] = []
  readonly #decisions: readonly Outcome[]

  /** An honest producer never says what it did not decide on. */
  constructor(isHonest: boolean, decisions: readonly Outcome[]) {
    this.#isHonest = isHonest
    this.#decisions = decisions
  }

  async step({ kind, nth, outcome }: Step): Promise<void> {
    const world = this.#world
    const known = this.#known[nth % Math.max(1, this.#known.length)]
    if (kind === 'half') this.#begin(outcome !== UNKNOWN)
    else if (kind === 'end' && known !== undefined) this.#end(known, outcome)
    else if (kind === 'write') world.write()
    else if (kind === 'dispatch') world.dispatch()
    else if (kind === 'save') world.saveOffsets()
    else if (kind === 'crash') world.crash(nth % 3)
    else if (kind === 'refuse') world.refuse(nth)
    else if (kind === 'check') await this.#check()
    await world.settle()
    this.#expect()
  }

  /** Producers are asked until nothing is open; a last crash brings nothing back. */
  async finish(): Promise<void> {
    this.#world.refuse(0)
    await this.#quiesce()
    await this.#check()
    await this.#quiesce()
    assert.deepEqual(await this.#world.open(), [], 'open after every producer was asked')
    this.#world.crash(0)
    await this.#world.settle()
    assert.deepEqual(await this.#world.open(), [], 'open after the last crash')
    this.#expect()
    for (const { key, said, decision } of this.#known) {
      const delivered = this.#world.delivered(key)
      if (this.#isHonest) assert.equal(delivered, decision === COMMIT ? 1 : 0, key)
      else if (said.size === 1) assert.equal(delivered, said.has(COMMIT) ? 1 : 0, key)
      assert.notEqual(said.size, 0, `${key} was never asked about`)
    }
  }

  /** Commits and then their notes are stored, and dispatched. */
  async #quiesce(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      this.#world.write()
      this.#world.dispatch()
      await this.#world.settle()
    }
  }

  /** Most are dispatched before anything else happens: ends of others wait. */
  #begin(isDispatched: boolean): void {
    const key = `u${this.#known.length}`
    const decision = this.#decisions[this.#known.length % this.#decisions.length]!
    const place = this.#world.sendHalf(key)
    if (isDispatched) this.#world.dispatch()
    this.#known.push({ key, place, decision, said: new Set(), settled: null })
  }

  #end(known: Known, wanted: Outcome): void {
    const outcome = this.#isHonest && wanted !== UNKNOWN ? known.decision : wanted
    if (outcome !== UNKNOWN) known.said.add(outcome)
    const answered = (): void => {
      if (outcome !== UNKNOWN) known.settled ??= this.#world.delivered(known.key)
      if (outcome !== UNKNOWN && known.said.size === 1) this.#expectSaid(known, outcome)
    }
    // Refused, or crashed before: nothing is promised.
    const isRefused = (): void => undefined
    this.#world
      .end(known.place, outcome)
      .then(answered, isRefused)
      .catch((error: unknown) => this.#wrong.push(error))
  }

  #expectSaid({ key, settled }: Known, outcome: Outcome): void {
    assert.equal(settled, outcome === COMMIT ? 1 : 0, `${key} when its end was answered`)
  }

  async #check(): Promise<void> {
    const open = new Set((await this.#world.open()).map(({ offset }) => offset))
    for (const known of this.#known) {
      if (open.has(known.place.offset)) this.#end(known, known.decision)
    }
  }

  #expect(): void {
    for (const error of this.#wrong) throw error
    for (const { key, said, settled } of this.#known) {
      const delivered = this.#world.delivered(key)
      assert.ok(delivered <= 1, `${key} was delivered ${delivered} times`)
      if (!said.has(COMMIT)) assert.equal(delivered, 0, `${key} was never committed`)
      if (settled !== null) assert.equal(delivered, settled, `${key} after its end was answered`)
    }
  }
}
