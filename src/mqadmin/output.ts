import { printf } from './printf.ts'

/**
 * What a command says. It prints its lines in Apache's form, and hands over the same as data: with --json
 * only the data is printed, one object per call.
 */
export class Output {
  readonly #write: (text: string) => void
  readonly #isJson: boolean

  constructor(write: (text: string) => void, isJson: boolean) {
    this.#write = write
    this.#isJson = isJson
  }

  get isJson(): boolean {
    return this.#isJson
  }

  /** A line, formatted as Java's printf does. Without values it is printed as it is. */
  line(pattern: string, ...values: readonly unknown[]): void {
    const text = values.length === 0 ? pattern : printf(pattern, ...values)
    if (!this.#isJson) this.#write(`${text}\n`)
  }

  /** The result as a value. Maps become objects. */
  data(value: unknown): void {
    if (this.#isJson) this.#write(`${JSON.stringify(value, plain)}\n`)
  }
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return typeof value === 'bigint' ? String(value) : value
}
