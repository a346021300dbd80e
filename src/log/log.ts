import { pino } from 'pino'

/** Fields first, then one sentence. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/**
 * One JSON line per event on stderr; stdout belongs to the lines that Apache's programs print.
 * RINGMQ_LOG_LEVEL (debug, info, warn, error, silent) says from which level on, normally info.
 */
export function createLog(program: string): Log {
  const level = process.env.RINGMQ_LOG_LEVEL ?? 'info'
  return pino({ level, base: { program } }, pino.destination({ dest: 2, sync: true }))
}
