/** The part of pino's logger that the broker thread uses: fields first, then one sentence. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
