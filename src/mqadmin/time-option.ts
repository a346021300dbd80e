import { AdminError } from './command.ts'
import type { GivenOptions } from './options.ts'

/** `2026-11-23#16:57:33:599`, in the zone of this machine (Apache 5.3.3, UtilAll.YYYY_MM_DD_HH_MM_SS_SSS). */
const WRITTEN = /^(\d{4})-(\d\d)-(\d\d)#(\d\d):(\d\d):(\d\d):(\d\d\d)$/

/** A time in ms since 1970, also when it was written as a date. Null when the option was not given. */
export function timeOption(options: GivenOptions, short: string): number | null {
  const text = options.text(short)
  if (text === null) return null
  if (/^\d{1,15}$/.test(text)) return Number(text)
  const parts = WRITTEN.exec(text)?.slice(1).map(Number)
  const time = parts === undefined ? NaN : timeOf(parts)
  if (!Number.isNaN(time)) return time
  throw new AdminError(`-${short} ${text}: it must be ms since 1970 or yyyy-MM-dd#HH:mm:ss:SSS`)
}

/** NaN for a day or hour that there is none of. */
function timeOf([year, month, ...rest]: readonly number[]): number {
  const [day, hour, minute, second, ms] = rest
  const date = new Date(year!, month! - 1, day, hour, minute, second, ms)
  const isSame =
    date.getMonth() === month! - 1 && date.getDate() === day && date.getHours() === hour
  return isSame ? date.getTime() : NaN
}
