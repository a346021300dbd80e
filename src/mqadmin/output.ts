import { cellOf, printf } from './printf.ts'
import type { Table, Terminal } from './terminal.ts'

/** All but tab and newline. */
const CONTROLS = /(?![\t\n])\p{Cc}/gu

/**
 * What a command says. It prints its lines in Apache's form, and hands over the same as data: with --json
 * only the data is printed, one object per call. On a terminal tables are laid out to their content.
 */
export class Output {
  readonly #write: (text: string) => void
  readonly #isJson: boolean
  readonly #terminal: Terminal | null
  /** What was said of a table that is not printed yet: its widths are not known. */
  #table: Table | null = null

  constructor(write: (text: string) => void, isJson: boolean, terminal: Terminal | null = null) {
    this.#write = write
    this.#isJson = isJson
    this.#terminal = terminal
  }

  get isJson(): boolean {
    return this.#isJson
  }

  /** A line, formatted as Java's printf does. Without values it is printed as it is. */
  line(pattern: string, ...values: readonly unknown[]): void {
    this.end()
    this.#print(pattern, values)
  }

  /** The first line of a table: `row`s follow. What comes as it happens is lines: a table waits for its end. */
  head(pattern: string, ...names: readonly string[]): void {
    this.end()
    if (this.#terminal === null || this.#isJson) this.#print(pattern, names)
    else this.#table = { heads: names, rows: [], areNumbers: names.map(() => true) }
  }

  /** A line of the table that `head` began. */
  row(pattern: string, ...values: readonly unknown[]): void {
    if (this.#table === null) return this.#print(pattern, values)
    const cells = values.map((value, nth) => harmless(cellOf(pattern, nth, value)))
    this.#table.rows.push(cells)
    for (const [nth, cell] of cells.entries()) {
      if (!/^[\d.,-]*$/.test(cell)) this.#table.areNumbers[nth] = false
    }
  }

  /** Between lines of a table, where it is not laid out. */
  rule(text: string): void {
    if (this.#table === null) this.line(text)
  }

  /** The result as a value. Maps become objects. */
  data(value: unknown): void {
    if (this.#isJson) this.#write(`${JSON.stringify(value, plain)}\n`)
  }

  /** Prints the table that is begun. */
  end(): void {
    const table = this.#table
    this.#table = null
    if (table !== null && this.#terminal !== null) this.#write(this.#terminal.table(table))
  }

  #print(pattern: string, values: readonly unknown[]): void {
    if (this.#isJson) return
    const text = values.length === 0 ? pattern : printf(pattern, ...values)
    this.#write(`${this.#terminal === null ? text : harmless(text)}\n`)
  }
}

/** Names and bodies come from anybody: a terminal takes no orders from them. */
function harmless(text: string): string {
  return text.replaceAll(CONTROLS, '\uFFFD')
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return typeof value === 'bigint' ? String(value) : value
}
