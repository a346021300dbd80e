import { JsonError } from './json-value.ts'

/** A JSON string exactly as fastjson 1.2 writes it by default. */
export function quoteJson(text: string): string {
  return `"${text.replace(SPECIAL, escapeSpecial)}"`
}

/** Characters that are not written as they are. */
// oxlint-disable-next-line no-control-regex
const SPECIAL = /["\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

const SHORT_ESCAPES = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\f', '\\f'],
  ['\r', '\\r'],
])

const ESCAPED = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ["'", "'"],
  ['b', '\b'],
  ['t', '\t'],
  ['n', '\n'],
  ['f', '\f'],
  ['r', '\r'],
])

function escapeSpecial(character: string): string {
  return SHORT_ESCAPES.get(character) ?? unicodeEscape(character)
}

/** `\u001F`: upper case, as fastjson. */
export function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
}

/** What stands between the quotes of a JSON string, its escapes replaced. Throws JsonError. */
export function unescapeJson(raw: string): string {
  return raw.replace(/\\(?:u([0-9a-fA-F]{4})|([^]))/g, (whole, hex?: string, letter?: string) => {
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16))
    const character = ESCAPED.get(letter!)
    if (character === undefined) throw new JsonError(`unknown escape ${whole}`)
    return character
  })
}
