/** `messageDelayLevel`: how long messages of each delay level wait, as Apache 5.3.3 (ScheduleMessageService) reads it. */
import type { Setting } from './setting.ts'

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** Each level has a queue. */
const LEVELS_MAX = 256

const DEFAULT = '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h'

/** The delays of levels 1, 2, …, in ms. The text was allowed. */
export function delaysIn(text: string): number[] {
  return text.split(' ').map((level) => Number(level.slice(0, -1)) * UNITS[level.at(-1)!]!)
}

export function delayLevels(options: { doc: string }): Setting<string> {
  return {
    type: 'String',
    default: DEFAULT,
    allowed: `1 to ${LEVELS_MAX} delays with a blank between, each a whole number (of up to 9 digits) and s, m, h or d, such as 1s 5m 2h`,
    important: false,
    own: false,
    parse: (written) => {
      const levels = written.split(' ')
      const isAllowed = levels.every((level) => /^\d{1,9}[smhd]$/.test(level))
      return isAllowed && levels.length <= LEVELS_MAX ? written : undefined
    },
    ...options,
  }
}
