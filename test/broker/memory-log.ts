import type { Log } from '../../src/log/log.ts'

/** Keeps the lines, so that a test can say what an operator reads. */
export class MemoryLog implements Log {
  readonly lines: string[] = []

  debug(fields: object, message: string): void {
    this.#add('debug', fields, message)
  }

  info(fields: object, message: string): void {
    this.#add('info', fields, message)
  }

  warn(fields: object, message: string): void {
    this.#add('warn', fields, message)
  }

  error(fields: object, message: string): void {
    this.#add('error', fields, message)
  }

  #add(level: string, fields: object, message: string): void {
    this.lines.push(`${level} ${message} ${JSON.stringify(fields)}`)
  }
}
