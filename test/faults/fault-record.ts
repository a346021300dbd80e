import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describeMachine, type MachineDescription } from '../../bench/lab/machine.ts'

/** What one kind of fault has shown: kept beside the benchmark results, and said in one line. */
export class FaultRecord {
  readonly #path: string
  readonly #question: string
  readonly #machine: MachineDescription = describeMachine()
  readonly #startedAt = performance.now()

  static pathOf(name: string): string {
    return fileURLToPath(new URL(`../../bench/results/faults-${name}.json`, import.meta.url))
  }

  constructor(path: string, question: string) {
    this.#path = path
    this.#question = question
  }

  /** Replaces what stood there: a run that is broken off leaves what it has seen so far. */
  write(figures: object): void {
    const seconds = this.#seconds()
    const content = { question: this.#question, machine: this.#machine, seconds, ...figures }
    writeFileSync(this.#path, `${JSON.stringify(content, null, 2)}\n`)
  }

  /** The summary line. The process ends with 1 when anything was wrong. */
  say(summary: string, violations: number): void {
    console.log(`${summary}, ${violations} violations, ${this.#seconds()} s`)
    if (violations > 0) process.exitCode = 1
  }

  #seconds(): number {
    return Math.round((performance.now() - this.#startedAt) / 1000)
  }
}
