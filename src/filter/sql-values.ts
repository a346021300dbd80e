/** What an expression has as its value for one message; null is SQL's "unknown". */
export type Value = string | number | boolean | null

/** Values that cannot be compared: the message does not match, whatever else the expression says. */
export const INCOMPARABLE = new Error('values that cannot be compared')

export type Order = 'less' | 'equal' | 'greater' | 'unequal'

const INTEGER = /^[+-]?\d+$/
const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?[fd]?$/i
/** A text that is longer is no number that anybody meant. */
const NUMBER_LENGTH_MAX = 64

/**
 * Properties are texts; they become what they are compared with: a number of the constant's kind, or a truth.
 * A text that is no such number ends the evaluation. Source: Apache 5.3.3, ComparisonExpression.
 */
export function compare(left: Value, right: Value, isFloat: boolean): Order {
  if (left === right) return 'equal'
  if (typeof left === 'string' && typeof right === 'string') return 'unequal'
  if (typeof left === 'boolean' || typeof right === 'boolean') return compareTruths(left, right)
  return orderOf(numberOf(left, isFloat), numberOf(right, isFloat))
}

/** `<` and its like with two properties: both must be numbers. */
export function compareTexts(left: string, right: string): Order {
  return orderOf(numberOf(left, true), numberOf(right, true))
}

function compareTruths(left: Value, right: Value): Order {
  if (typeof left === 'number' || typeof right === 'number') return 'less'
  return truthOf(left) === truthOf(right) ? 'equal' : 'unequal'
}

/** Java's Boolean.valueOf. */
function truthOf(value: Value): boolean {
  return typeof value === 'string' ? value.toLowerCase() === 'true' : value === true
}

function numberOf(value: Value, isFloat: boolean): number {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value.length > NUMBER_LENGTH_MAX) throw INCOMPARABLE
  const text = isFloat ? value.trim() : value
  if (!(isFloat ? FLOAT : INTEGER).test(text)) throw INCOMPARABLE
  return Number.parseFloat(value)
}

function orderOf(left: number, right: number): Order {
  if (left === right) return 'equal'
  return left < right ? 'less' : 'greater'
}
