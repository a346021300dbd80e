import { SqlError } from './sql-error.ts'

export type TokenKind = 'word' | 'name' | 'string' | 'number' | 'sign' | 'end'

export interface Token {
  kind: TokenKind
  /** Of a word in capitals; of a string its content. */
  text: string
  /** Where it begins. */
  index: number
  /** Of a number: whether it is written with a point or an exponent. */
  isFloat?: boolean
}

const WORDS = new Set([
  'NOT',
  'AND',
  'OR',
  'BETWEEN',
  'IN',
  'TRUE',
  'FALSE',
  'NULL',
  'IS',
  'CONTAINS',
  'STARTSWITH',
  'ENDSWITH',
])

const SPACE = /(?:[ \t\n\r\f]|--[^\n\r]*|\/\*[^]*?\*\/)+/y
const FLOAT = /(?:\d+\.\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|\d+e[+-]?\d+)/iy
const INTEGER = /(?:0|[1-9]\d*)l?/iy
const NAME = /[a-z_$][a-z0-9_$]*/iy
const STRING = /'(?:''|[^'])*'/y
const SIGN = /<>|>=|<=|[=<>(),+-]/y

/** No number that is meant is longer. */
const DIGITS_MAX = 40
const TOKENS_MAX = 2000

/** The tokens of an expression, an `end` behind the last. Throws SqlError. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  let index = skipSpace(text, 0)
  while (index < text.length) {
    if (tokens.length === TOKENS_MAX) {
      throw new SqlError(`an expression has ${TOKENS_MAX} words at most, more begin`, index)
    }
    const token = tokenAt(text, index)
    tokens.push(token.token)
    index = skipSpace(text, token.end)
  }
  tokens.push({ kind: 'end', text: '', index })
  return tokens
}

function skipSpace(text: string, index: number): number {
  return match(SPACE, text, index)?.end ?? index
}

function tokenAt(text: string, index: number): { token: Token; end: number } {
  const name = match(NAME, text, index)
  if (name !== null) return { token: wordOrName(name.text, index), end: name.end }
  const string = match(STRING, text, index)
  if (string !== null) {
    const content = string.text.slice(1, -1).replaceAll("''", "'")
    return { token: { kind: 'string', text: content, index }, end: string.end }
  }
  const float = match(FLOAT, text, index)
  const number = float ?? match(INTEGER, text, index)
  if (number !== null) {
    if (number.text.length > DIGITS_MAX) throw new SqlError('a number is too long', index)
    const token = { kind: 'number', text: number.text, index, isFloat: float !== null } as const
    return { token, end: number.end }
  }
  const sign = match(SIGN, text, index)
  if (sign !== null) return { token: { kind: 'sign', text: sign.text, index }, end: sign.end }
  throw new SqlError(`${JSON.stringify(text[index])} means nothing`, index)
}

function wordOrName(text: string, index: number): Token {
  const word = text.toUpperCase()
  return WORDS.has(word) ? { kind: 'word', text: word, index } : { kind: 'name', text, index }
}

function match(pattern: RegExp, text: string, index: number): { text: string; end: number } | null {
  pattern.lastIndex = index
  const found = pattern.exec(text)
  return found === null ? null : { text: found[0], end: pattern.lastIndex }
}
