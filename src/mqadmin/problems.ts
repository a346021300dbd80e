import { AdminError } from './command.ts'
import { failureText } from './failure-text.ts'

const SHOWN_MAX = 5

/** What went wrong with some of many things: the others are shown, and the command fails at its end. */
export class Problems {
  readonly #texts: string[] = []

  /** Rethrows what nobody foresaw. */
  add(error: unknown): void {
    const text = failureText(error)
    if (text === null) throw error
    if (!this.#texts.includes(text)) this.#texts.push(text)
  }

  /** Throws AdminError when there were any. */
  end(): void {
    const [count, shown] = [this.#texts.length, this.#texts.slice(0, SHOWN_MAX)]
    if (count === 0) return
    const more = count > SHOWN_MAX ? `, and ${count - SHOWN_MAX} more like these` : ''
    throw new AdminError(`not all is shown: ${shown.join('; ')}${more}`)
  }
}
