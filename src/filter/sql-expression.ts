import { compare, compareTexts, type Order, type Value } from './sql-values.ts'

/** Looks a property up; null when the message does not have it. */
export type Lookup = (name: string) => string | null

/** A part of an expression, compiled: its value for one message. */
export type Evaluate = (lookup: Lookup) => Value

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>='

const ORDERS: Record<Comparison, ReadonlySet<Order>> = {
  '=': new Set(['equal']),
  '<>': new Set(['less', 'greater', 'unequal']),
  '<': new Set(['less']),
  '<=': new Set(['less', 'equal']),
  '>': new Set(['greater']),
  '>=': new Set(['greater', 'equal']),
}

export function property(name: string): Evaluate {
  return (lookup) => lookup(name)
}

export function constant(value: Value): Evaluate {
  return () => value
}

/** Only numbers have an opposite; of anything else it is unknown. */
export function negative(operand: Evaluate): Evaluate {
  return (lookup) => {
    const value = operand(lookup)
    return typeof value === 'number' ? -value : null
  }
}

export function not(operand: Evaluate): Evaluate {
  return (lookup) => {
    const value = operand(lookup)
    return value === null ? null : value !== true
  }
}

export function or(left: Evaluate, right: Evaluate): Evaluate {
  return (lookup) => {
    const first = left(lookup)
    if (first === true) return true
    const second = right(lookup)
    if (second === true) return true
    return first === null || second === null ? null : false
  }
}

export function and(left: Evaluate, right: Evaluate): Evaluate {
  return (lookup) => {
    const first = left(lookup)
    if (first === false) return false
    const second = right(lookup)
    if (second === false) return false
    return first === null || second === null ? null : true
  }
}

/** A property alone is a text, and no text is a truth (Apache 5.3.3: false, unknown without the property). */
export function truth(operand: Evaluate): Evaluate {
  return (lookup) => {
    const value = operand(lookup)
    return typeof value === 'string' || typeof value === 'number' ? false : value
  }
}

/** `isFloat`: a constant among the operands has a point, so texts are read as such numbers. */
export function comparison(
  sign: Comparison,
  { left, right, isFloat }: { left: Evaluate; right: Evaluate; isFloat: boolean },
): Evaluate {
  const wanted = ORDERS[sign]
  const isEquality = sign === '=' || sign === '<>'
  return (lookup) => {
    const first = left(lookup)
    const second = right(lookup)
    if (first === null) return null
    if (second === null) return isEquality ? sign === '<>' : null
    if (!isEquality && typeof first === 'string' && typeof second === 'string') {
      return wanted.has(compareTexts(first, second))
    }
    return wanted.has(compare(first, second, isFloat))
  }
}

export function isNull(operand: Evaluate): Evaluate {
  return (lookup) => operand(lookup) === null
}

export function isIn(operand: Evaluate, texts: ReadonlySet<string>): Evaluate {
  return (lookup) => {
    const value = operand(lookup)
    return typeof value === 'string' ? texts.has(value) : null
  }
}

export type TextTest = 'CONTAINS' | 'STARTSWITH' | 'ENDSWITH'

/** Nothing contains an empty text, and who lacks the property fails this test and its opposite. */
export function hasText(
  test: TextTest,
  { operand, text, isNot }: { operand: Evaluate; text: string; isNot: boolean },
): Evaluate {
  const holds = {
    CONTAINS: (value: string) => value.includes(text),
    STARTSWITH: (value: string) => value.startsWith(text),
    ENDSWITH: (value: string) => value.endsWith(text),
  }[test]
  return (lookup) => {
    const value = operand(lookup)
    if (typeof value !== 'string') return false
    return (text !== '' && holds(value)) !== isNot
  }
}
