import { describe, expect, test } from 'vitest'
import { changeAttributes } from '../../src/broker/topic-attributes.ts'

const known = new Map([
  ['message.type', 'FIFO'],
  ['queue.type', 'SimpleCQ'],
])

describe('topic attributes', () => {
  test('of a topic without any are none', () => {
    expect(changeAttributes(null, undefined)).toEqual(new Map())
    expect(changeAttributes(null, '')).toEqual(new Map())
  })

  test('are added when a topic is created', () => {
    const text = '+message.type=DELAY,+queue.type=SimpleCQ,+reserve.time=-1'
    expect(changeAttributes(null, text)).toEqual(
      new Map([
        ['message.type', 'DELAY'],
        ['queue.type', 'SimpleCQ'],
        ['reserve.time', '-1'],
      ]),
    )
  })

  test('stay when a request does not speak of them', () => {
    expect(changeAttributes(known, undefined)).toEqual(known)
  })

  test('are changed and removed one by one', () => {
    expect(changeAttributes(known, '+message.type=NORMAL').get('message.type')).toBe('NORMAL')
    expect(changeAttributes(known, '-message.type').has('message.type')).toBe(false)
  })

  test.each([
    ['an unknown name', null, '+foo=bar', /"foo" is unknown: message.type, .* are known/],
    ['no plus', null, 'message.type=FIFO', /must be \+name=value or -name/],
    ['no value', null, '+message.type', /must be \+name=value or -name/],
    ['a removal at creation', null, '-message.type', /has nothing to remove/],
    ['a value that is none', null, '+message.type=FOO', /must be one of UNSPECIFIED, NORMAL/],
    ['mixed messages', null, '+message.type=MIXED', /must be one of/],
    ['batch queues, which we do not write', null, '+queue.type=BatchCQ', /must be SimpleCQ/],
    ['compaction, which we do not do', null, '+cleanup.policy=COMPACTION', /must be DELETE/],
    ['a time that is none', null, '+reserve.time=soon', /-1 or more/],
    ['one name twice', null, '+message.type=FIFO,+message.type=DELAY', /stands there twice/],
    ['a change of what is fixed', known, '-queue.type', /cannot change after/],
    ['too many changes', null, '+a=b,'.repeat(65), /at most 64/],
  ])('are refused for %s', (_, before, text, remark) => {
    const change = () => changeAttributes(before, text)
    expect(change).toThrow(remark)
    expect(change).toThrow(expect.objectContaining({ codeName: 'INVALID_PARAMETER' }))
  })

  test('that are fixed may be repeated', () => {
    expect(changeAttributes(known, '+queue.type=SimpleCQ')).toEqual(known)
  })
})
