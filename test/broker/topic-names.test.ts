import { expect, test } from 'vitest'
import { groupNameFault, shown, topicNameFault } from '../../src/broker/topic-names.ts'

test.each([
  ['Aa0-_|%', null],
  ['t'.repeat(127), null],
  ['%RETRY%group', null],
  ['__proto__', null],
  ['', /blank: 1 to 127 characters are allowed/],
  ['  ', /blank/],
  [
    'a b',
    /topic\[a b\] contains illegal characters: only letters, digits and % \| _ - are allowed/,
  ],
  ['täst', /illegal characters/],
  ['a.b', /illegal characters/],
  ['a\nb', /illegal characters/],
  ['a@b', /illegal characters/],
  ['t'.repeat(128), /longer than topic max length 127: it has 128 characters/],
])('the topic name %j is judged as Apache does', (name, fault) => {
  if (fault === null) expect(topicNameFault(name)).toBeNull()
  else expect(topicNameFault(name)).toMatch(fault)
})

test.each([
  ['g'.repeat(255), null],
  ['%GROUP|x', null],
  ['', /group is blank: 1 to 255/],
  ['a b', /group\[a b\] contains illegal/],
  ['g'.repeat(256), /longer than group max length 255: it has 256/],
])('the group name %j is judged as Apache does', (name, fault) => {
  if (fault === null) expect(groupNameFault(name)).toBeNull()
  else expect(groupNameFault(name)).toMatch(fault)
})

test('a name of any length stands in a remark with its first characters only', () => {
  expect(shown('x'.repeat(100_000))).toHaveLength(256)
})
