/**
 * The conditions that consumers may set on properties (Apache 5.3.3, SQL92):
 *
 *    or        and { OR and }
 *    and       equality { AND equality }
 *    equality  order { = order | <> order | IS [NOT] NULL }
 *    order     unary { (> | >= | < | <=) unary | [NOT] BETWEEN unary AND unary
 *                    | [NOT] IN ( string { , string } ) | [NOT] (CONTAINS | STARTSWITH | ENDSWITH) string }
 *    unary     (+ | - | NOT) unary | string | number | TRUE | FALSE | NULL | property | ( or )
 *
 * Words in any case; strings in single quotes, doubled inside; `--` and block comments.
 */
import { SqlError } from './sql-error.ts'
import * as build from './sql-expression.ts'
import type { Comparison, Evaluate, TextTest } from './sql-expression.ts'
import { type Token, tokensOf } from './sql-tokens.ts'
import type { Value } from './sql-values.ts'

const LENGTH_MAX = 10_000
const DEPTH_MAX = 64

/** A part that was parsed, and what the rest of the grammar must know of it. */
interface Part {
  evaluate: Evaluate
  kind: 'property' | 'constant' | 'truth' | 'other'
  /** Of a constant. */
  value?: Value
  isFloat: boolean
  index: number
}

/** Compiles an expression. Throws SqlError, which says what is wrong and where. */
export function parseSql(text: string): Evaluate {
  if (text.length > LENGTH_MAX) {
    throw new SqlError(
      `an expression has ${LENGTH_MAX} characters at most, more begins`,
      LENGTH_MAX,
    )
  }
  return new Parser(tokensOf(text)).parse()
}

class Parser {
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  parse(): Evaluate {
    const whole = asTruth(this.#or())
    if (this.#token.kind !== 'end') throw this.#unexpected('the end of the expression')
    return whole
  }

  get #token(): Token {
    return this.#tokens[this.#next]!
  }

  #or(): Part {
    let left = this.#and()
    while (this.#takes('OR')) {
      const evaluate = build.or(asTruth(left), asTruth(this.#and()))
      left = truthPart(evaluate, left)
    }
    return left
  }

  #and(): Part {
    let left = this.#equality()
    while (this.#takes('AND')) {
      const evaluate = build.and(asTruth(left), asTruth(this.#equality()))
      left = truthPart(evaluate, left)
    }
    return left
  }

  #equality(): Part {
    let left = this.#order()
    for (;;) {
      const { text } = this.#token
      if (this.#takes('=', '<>')) left = this.#compared(left, text as Comparison, this.#order())
      else if (this.#takes('IS')) {
        const isNot = this.#takes('NOT')
        this.#expect('NULL')
        const isNull = build.isNull(left.evaluate)
        left = truthPart(isNot ? build.not(isNull) : isNull, left)
      } else return left
    }
  }

  #order(): Part {
    let left = this.#unary()
    for (;;) {
      const { text } = this.#token
      if (this.#takes('>', '>=', '<', '<=')) {
        left = this.#compared(left, text as Comparison, this.#unary())
        continue
      }
      const isNot = text === 'NOT' && this.#token.kind === 'word'
      if (isNot) this.#next++
      const test = this.#test(left, isNot)
      if (test === null) {
        if (isNot) throw this.#unexpected('BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH')
        return left
      }
      left = truthPart(test, left)
    }
  }

  #test(left: Part, isNot: boolean): Evaluate | null {
    const { text } = this.#token
    if (this.#takes('BETWEEN')) return this.#between(left, isNot)
    if (this.#takes('IN')) return this.#in(left, isNot)
    if (!this.#takes('CONTAINS', 'STARTSWITH', 'ENDSWITH')) return null
    const options = { operand: left.evaluate, text: this.#string(), isNot }
    return build.hasText(text as TextTest, options)
  }

  #between(left: Part, isNot: boolean): Evaluate {
    const low = this.#unary()
    this.#expect('AND')
    const high = this.#unary()
    if (typeof low.value === 'number' && typeof high.value === 'number' && low.value > high.value) {
      throw new SqlError(`BETWEEN ${low.value} AND ${high.value} holds nothing`, low.index)
    }
    if (isNot) {
      const below = this.#compared(left, '<', low)
      return build.or(below.evaluate, this.#compared(left, '>', high).evaluate)
    }
    const above = this.#compared(left, '>=', low)
    return build.and(above.evaluate, this.#compared(left, '<=', high).evaluate)
  }

  #in(left: Part, isNot: boolean): Evaluate {
    if (left.kind !== 'property') throw new SqlError('IN asks for a property before it', left.index)
    this.#expect('(')
    const texts = new Set([this.#string()])
    while (this.#takes(',')) texts.add(this.#string())
    this.#expect(')')
    const isIn = build.isIn(left.evaluate, texts)
    return isNot ? build.not(isIn) : isIn
  }

  #compared(left: Part, sign: Comparison, right: Part): Part {
    for (const part of [left, right]) checkOperand(part, sign)
    const isFloat = left.isFloat || right.isFloat
    const operands = { left: left.evaluate, right: right.evaluate, isFloat }
    return truthPart(build.comparison(sign, operands), left)
  }

  #unary(): Part {
    if (++this.#depth > DEPTH_MAX) {
      throw new SqlError(`more than ${DEPTH_MAX} parts within each other`, this.#token.index)
    }
    const part = this.#unaryWithin()
    this.#depth--
    return part
  }

  #unaryWithin(): Part {
    const { index } = this.#token
    if (this.#takes('+')) return this.#unary()
    if (this.#takes('NOT')) return truthPart(build.not(asTruth(this.#unary())), { index })
    if (!this.#takes('-')) return this.#primary()
    const operand = this.#unary()
    const evaluate = build.negative(operand.evaluate)
    if (typeof operand.value !== 'number') return { ...operand, evaluate, kind: 'other', index }
    return { ...operand, evaluate, value: -operand.value, index }
  }

  #primary(): Part {
    const { kind, text, index, isFloat = false } = this.#token
    if (this.#takes('(')) {
      const part = this.#or()
      this.#expect(')')
      return part
    }
    this.#next++
    if (kind === 'name') {
      return { evaluate: build.property(text), kind: 'property', isFloat: false, index }
    }
    if (kind === 'string') return constantPart(text, index)
    if (kind === 'number') return { ...constantPart(Number.parseFloat(text), index), isFloat }
    if (kind === 'word' && text === 'NULL') return constantPart(null, index)
    if (kind === 'word' && (text === 'TRUE' || text === 'FALSE')) {
      return constantPart(text === 'TRUE', index)
    }
    this.#next--
    throw this.#unexpected('a property, a constant or (')
  }

  #string(): string {
    const { kind, text } = this.#token
    if (kind !== 'string') throw this.#unexpected('a text in single quotes')
    this.#next++
    return text
  }

  /** Takes the next token if it is one of these words or signs. */
  #takes(...wanted: readonly string[]): boolean {
    const { kind, text } = this.#token
    const isTaken = (kind === 'word' || kind === 'sign') && wanted.includes(text)
    if (isTaken) this.#next++
    return isTaken
  }

  #expect(wanted: string): void {
    if (!this.#takes(wanted)) throw this.#unexpected(wanted)
  }

  #unexpected(wanted: string): SqlError {
    const { kind, text, index } = this.#token
    const found = kind === 'end' ? 'the end' : JSON.stringify(text)
    return new SqlError(`${wanted} is missing, ${found} stands there,`, index)
  }
}

function truthPart(evaluate: Evaluate, { index }: { index: number }): Part {
  return { evaluate, kind: 'truth', isFloat: false, index }
}

function constantPart(value: Value, index: number): Part {
  return { evaluate: build.constant(value), kind: 'constant', value, isFloat: false, index }
}

function asTruth({ evaluate, kind, value, index }: Part): Evaluate {
  if (kind === 'truth') return evaluate
  if (kind === 'property') return build.truth(evaluate)
  if (kind === 'constant' && (value === null || typeof value === 'boolean')) return evaluate
  throw new SqlError('a condition is missing, a value stands there,', index)
}

/** Only numbers have an order; nothing equals NULL. */
function checkOperand({ kind, value, index }: Part, sign: Comparison): void {
  if (sign === '=' || sign === '<>') {
    if (kind === 'constant' && value === null) {
      throw new SqlError('nothing equals NULL: IS NULL asks for it,', index)
    }
    return
  }
  const isOrdered = kind === 'property' || kind === 'other' || typeof value === 'number'
  if (!isOrdered)
    throw new SqlError(`${sign} compares numbers, something else stands there,`, index)
}
