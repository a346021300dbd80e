import type { CrashReport } from '../support/crash-loop.ts'
import { type Faults, NO_FAULTS } from '../support/ledger.ts'

type Counts = Pick<CrashReport, 'acknowledged' | 'seen' | 'refused' | 'stored' | 'topicsLost'>

/** What several crash loops have found, together. */
export class CrashSums {
  readonly #first: number
  nextSeed: number
  cycles = 0
  readonly #ends = { killed: 0, stopped: 0, killedWhileStarting: 0 }
  readonly #counts: Counts = { acknowledged: 0, seen: 0, refused: 0, stored: 0, topicsLost: 0 }
  readonly #faults: Faults = { ...NO_FAULTS }

  constructor(firstSeed: number) {
    this.#first = this.nextSeed = firstSeed
  }

  add(report: CrashReport): void {
    this.nextSeed++
    this.cycles += report.cycles.length
    for (const { end, hadFalseStart } of report.cycles) {
      this.#ends[end]++
      if (hadFalseStart) this.#ends.killedWhileStarting++
    }
    for (const key of Object.keys(this.#counts) as (keyof Counts)[]) {
      this.#counts[key] += report[key]
    }
    for (const key of Object.keys(this.#faults) as (keyof Faults)[]) {
      this.#faults[key] += report.faults[key]
    }
  }

  figures(): object {
    const seeds = { firstSeed: this.#first, lastSeed: this.nextSeed - 1 }
    return { cycles: this.cycles, ...this.#ends, ...this.#counts, faults: this.#faults, ...seeds }
  }

  text(): string {
    return `${this.cycles} cycles, ${this.#counts.acknowledged} acknowledged`
  }

  violations(): number {
    return Object.values(this.#faults).reduce((sum, count) => sum + count, this.#counts.topicsLost)
  }
}
