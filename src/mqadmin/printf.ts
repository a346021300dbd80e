const WORDS = /%([-0,]*)(\d*)(?:\.(\d+))?([sdfbn%])/g

/** As Java's String.format does it: %s %d %f %b with flags `-`, `0`, `,`, a width and a precision; %n and %%. */
export function printf(pattern: string, ...values: readonly unknown[]): string {
  let nth = 0
  return pattern.replace(
    WORDS,
    (_, flags: string, width: string, precision: string | undefined, kind: string) => {
      if (kind === 'n') return '\n'
      if (kind === '%') return '%'
      const text = convert(values[nth++], kind, { flags, precision })
      return pad(text, Number(width || 0), flags)
    },
  )
}

/** What the nth value of a pattern looks like without the width of its column. */
export function cellOf(pattern: string, nth: number, value: unknown): string {
  const words = [...pattern.matchAll(WORDS)].filter(([, , , , kind]) => !'n%'.includes(kind!))
  const [, flags = '', , precision, kind = 's'] = words[nth] ?? []
  return convert(value, kind, { flags, precision })
}

function convert(
  value: unknown,
  kind: string,
  { flags, precision }: { flags: string; precision: string | undefined },
): string {
  if (kind === 'f') return Number(value).toFixed(precision === undefined ? 6 : Number(precision))
  const text = String(value)
  if (kind === 'd' && flags.includes(',')) return text.replace(/\B(?=(\d{3})+$)/g, ',')
  return kind === 's' && precision !== undefined ? text.slice(0, Number(precision)) : text
}

function pad(text: string, width: number, flags: string): string {
  if (flags.includes('-')) return text.padEnd(width)
  return text.padStart(width, flags.includes('0') ? '0' : ' ')
}

/** A name cut to the width of its column, as Apache's tables show it (UtilAll.frontStringAtLeast). */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : text.slice(0, width)
}

/** A time as Apache 5.3.3 prints it: `2026-11-23 16:57:33,599`, in the zone of this machine. */
export function humanTime(ms: number): string {
  const date = new Date(ms)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${day} ${time},${String(date.getMilliseconds()).padStart(3, '0')}`
}
