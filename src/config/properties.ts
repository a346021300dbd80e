/**
 * Java properties text, as `java.util.Properties.load` reads it: `#` and `!` start a comment only
 * at the beginning of a line, the first unescaped `=`, `:` or blank ends the key, a backslash at
 * the end of a line joins the next one. We read UTF-8 where Java reads Latin-1.
 */
export interface Property {
  readonly key: string
  readonly value: string
  /** Number of the line the property starts on, from 1. */
  readonly line: number
}

/** Every property in the order written, repeated keys included. */
export function parseProperties(content: string): Property[] {
  return logicalLines(content).map(({ body, line }) => ({ ...splitProperty(body), line }))
}

/** Text that `parseProperties` reads back to the same pairs. */
export function formatProperties(pairs: Iterable<readonly [string, string]>): string {
  return Array.from(pairs, ([key, value]) => `${escapeKey(key)}=${escapeValue(value)}\n`).join('')
}

function logicalLines(content: string): { body: string; line: number }[] {
  const lines = content.split(/\r\n|\n|\r/)
  const found: { body: string; line: number }[] = []
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1
    let body = withoutIndent(lines[index]!)
    if (body === '' || body.startsWith('#') || body.startsWith('!')) continue
    while (isContinued(body)) {
      index++
      body = body.slice(0, -1) + withoutIndent(lines[index] ?? '')
    }
    found.push({ body, line })
  }
  return found
}

/** Java's blanks; trimStart knows more of them. */
function withoutIndent(line: string): string {
  return line.replace(/^[ \t\f]+/, '')
}

/** An odd number of backslashes at the end: the last one is not itself escaped. */
function isContinued(body: string): boolean {
  return /\\*$/.exec(body)![0].length % 2 === 1
}

function splitProperty(body: string): { key: string; value: string } {
  let end = 0
  while (end < body.length && !/[ \t\f=:]/.test(body[end]!)) end += body[end] === '\\' ? 2 : 1
  const rest = body.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
  return { key: unescape(body.slice(0, end)), value: unescape(rest) }
}

const NAMED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescape(body: string): string {
  return body.replace(/\\u([\da-fA-F]{4})|\\(.)/g, (_, code?: string, letter?: string) =>
    code === undefined
      ? (NAMED[letter!] ?? letter!)
      : String.fromCharCode(Number.parseInt(code, 16)),
  )
}

const ESCAPES: Readonly<Record<string, string>> = { '\t': 't', '\n': 'n', '\r': 'r', '\f': 'f' }

function escape(text: string, letters: RegExp): string {
  return text.replace(letters, (letter) => `\\${ESCAPES[letter] ?? letter}`)
}

function escapeKey(key: string): string {
  return escape(key, /[\\\t\n\r\f=: ]|^[#!]/g)
}

function escapeValue(value: string): string {
  return escape(value, /[\\\t\n\r\f]|^ /g)
}
