import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withProperties } from '../../src/config/edit-properties.ts'
import { parseProperties } from '../../src/config/properties.ts'

test('values that are set come last, everything else stays where it is', () => {
  const before = '# mine\nbrokerName=a\n\nfileReservedTime = 72\n# end\n'
  const values = new Map([
    ['fileReservedTime', '48'],
    ['deleteWhen', '05'],
  ])
  expect(withProperties(before, values)).toBe(
    '# mine\nbrokerName=a\n\n# end\nfileReservedTime=48\ndeleteWhen=05\n',
  )
})

test('of a key that stands there twice one line is left', () => {
  expect(withProperties('a=1\nb=2\na=3\n', new Map([['a', '4']]))).toBe('b=2\na=4\n')
})

test('whatever value is written is read back', () => {
  const value = fc.string().filter((text) => !/[\r\n\0]/.test(text))
  fc.assert(
    fc.property(value, fc.constantFrom('', 'x=1', '# c\nkey=old\nx=1'), (text, before) => {
      const after = withProperties(before, new Map([['key', text]]))
      expect(parseProperties(after).findLast(({ key }) => key === 'key')?.value).toBe(text)
    }),
  )
})
