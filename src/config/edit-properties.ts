import { formatProperties } from './properties.ts'

/** Of the text before, only lines `key=value` are understood; what else stands in it stays. */
const LINE = /^\s*([^#!\s=:]+)\s*[=:]/

/** A properties text with these values, at its end; where they stood before they do not any more. */
export function withProperties(before: string, values: ReadonlyMap<string, string>): string {
  const lines = before.split('\n')
  const kept = lines.filter((line) => !values.has(LINE.exec(line)?.[1] ?? ''))
  const head = kept.join('\n').replace(/\n+$/, '')
  return `${head === '' ? '' : `${head}\n`}${formatProperties(values)}`
}
