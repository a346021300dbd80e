import { describe, expect, test } from 'vitest'
import {
  body,
  bool,
  double,
  int,
  list,
  numberMap,
  objectMap,
  oneOf,
  optional,
  orElse,
  quotedNumberMap,
  record,
  stamp,
  text,
  textMap,
} from '../../src/protocol/json-shape.ts'
import type { Shape } from '../../src/protocol/json-shape.ts'
import { JsonError, parseJson } from '../../src/protocol/json.ts'

function read<T>(shape: Shape<T>, json: string): T {
  return shape.read(parseJson(json), 'Here')
}

describe('a value', () => {
  test.each<[string, Shape<unknown>, string, unknown]>([
    ['text that came as a number', text, '5', '5'],
    ['an integer that came as text', int, '"-12"', -12],
    ['a stamp beyond 2^53', stamp, '1700000000123456789', 1700000000123456800],
    ['a stamp that came as text', stamp, '"1700000000123456789"', 1700000000123456800],
    ['a boolean that came as text', bool, '"True"', true],
    ['a boolean that came as a number', bool, '0', false],
    ['a double that came as an integer', double, '3', 3],
    ['an enum by its number', oneOf('A', 'B'), '1', 'B'],
  ])('is read leniently: %s', (_, shape, json, value) => {
    expect(read(shape, json)).toBe(value)
  })

  test.each<[string, Shape<unknown>, string]>([
    ['text that is an object', text, '{}'],
    ['an integer beyond 2^53', int, '9007199254740992'],
    ['an integer that is a fraction', int, '1.5'],
    ['an integer that is a word', int, '"x"'],
    ['a stamp that is a fraction', stamp, '0.5'],
    ['a double that is nothing', double, '""'],
    ['a boolean that is 2', bool, '2'],
    ['an enum that nobody knows', oneOf('A', 'B'), '"C"'],
    ['an enum beyond its numbers', oneOf('A', 'B'), '-1'],
    ['a list that is an object', list(int), '{}'],
    ['a map that is a list', textMap(int), '[]'],
    ['a number map with a word for a key', numberMap(int), '{"x":1}'],
    ['a text map with an object for a key', textMap(int), '{{}:1}'],
    ['a record that is text', record({}), '"x"'],
  ])('is refused: %s', (_, shape, json) => {
    expect(() => read(shape, json)).toThrow(JsonError)
  })

  test.each([
    [0, '0.0'],
    [1.5, '1.5'],
    [-2, '-2.0'],
    [0.001, '0.001'],
    [1e-5, '1.0E-5'],
    [9999999.5, '9999999.5'],
    [1e7, '1.0E7'],
    [12345678901, '1.2345678901E10'],
    [1e21, '1.0E21'],
  ])('double %d is written as Java writes it', (value, written) => {
    expect(double.write(value)).toBe(written)
  })

  test('that is a stamp rounded up to 2^63 is written within int64', () => {
    expect(stamp.write(read(stamp, '9223372036854775807'))).toBe('9223372036854775807')
  })
})

describe('a map', () => {
  test('of numbers is written unquoted, or quoted, and read either way', () => {
    const numbers = new Map([
      [0, 'a'],
      [7, 'b'],
    ])
    expect(numberMap(text).write(numbers)).toBe('{0:"a",7:"b"}')
    expect(quotedNumberMap(text).write(numbers)).toBe('{"0":"a","7":"b"}')
    expect(read(numberMap(text), '{"0":"a",7:"b"}')).toEqual(numbers)
  })

  test('of objects is written as fastjson does, and read also with quoted keys', () => {
    const table = objectMap(record({ id: int }), int)
    expect(table.write([[{ id: 1 }, 5]])).toBe('{{"id":1}:5}')
    expect(read(table, '{{"id":1}:5,"{\\"id\\":2}":6}')).toEqual([
      [{ id: 1 }, 5],
      [{ id: 2 }, 6],
    ])
  })

  test('leaves out nulls', () => {
    expect(read(textMap(int), '{"a":1,"b":null}')).toEqual(new Map([['a', 1]]))
  })
})

describe('a record', () => {
  const point = record({
    x: int,
    name: optional(text),
    tags: orElse(list(text), []),
    kind: orElse(oneOf('A', 'B'), 'A'),
  })

  test('ignores what it does not know', () => {
    expect(read(point, '{"x":1,"y":2,"z":{"a":[]}}')).toEqual({ x: 1, tags: [], kind: 'A' })
  })

  test('takes null for absent', () => {
    expect(read(point, '{"x":1,"name":null,"tags":null,"kind":null}')).toEqual({
      x: 1,
      tags: [],
      kind: 'A',
    })
  })

  test('gives every reader a fallback of its own', () => {
    read(point, '{"x":1}').tags.push('mine')
    expect(read(point, '{"x":1}').tags).toEqual([])
  })

  test('writes its members in order and leaves out undefined', () => {
    expect(point.write({ x: 1, name: undefined, tags: ['t'], kind: 'B' })).toBe(
      '{"x":1,"tags":["t"],"kind":"B"}',
    )
  })

  test('names the place of what is wrong', () => {
    const outer = body('Outer', record({ points: list(point) }))
    expect(() => outer.decode(Buffer.from('{"points":[{"x":1},{}]}'))).toThrow(
      'Outer.points[1].x is missing',
    )
  })
})

test('a body without bytes is refused by name', () => {
  expect(() => body('Outer', record({})).decode(null)).toThrow('Outer: there is no body')
})
