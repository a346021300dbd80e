import type { Declaration } from '../config/load.ts'
import type { ConfigOf, Settings } from '../config/setting.ts'

/** `key=value`, one per setting, in the declared order. */
export function configLines<S extends Settings>(
  { settings }: Pick<Declaration<S>, 'settings'>,
  config: ConfigOf<S>,
  which: 'all' | 'important',
): string[] {
  return Object.entries(settings)
    .filter(([, setting]) => which === 'all' || setting.important)
    .map(([key]) => `${key}=${config[key]}`)
}

/** As Apache's console logger prints it: `2026-11-24 18:27:40 INFO main - `, always in GMT+8. */
export function consoleLine(message: string, now: number): string {
  const shifted = new Date(now + 8 * 3_600_000).toISOString()
  return `${shifted.slice(0, 10)} ${shifted.slice(11, 19)} INFO main - ${message}`
}
