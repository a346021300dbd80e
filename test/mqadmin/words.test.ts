import { expect, test } from 'vitest'
import { splitWords, WordsError } from '../../src/mqadmin/words.ts'

test.each([
  ['', []],
  ['  topicList  -c ', ['topicList', '-c']],
  [`-p 'two words' -k "a \\"b\\" c"`, ['-p', 'two words', '-k', 'a "b" c']],
  [`a\\ b'c d'"e"`, ['a bc de']],
  [`-p '' -k ""`, ['-p', '', '-k', '']],
  ['$HOME `ls` *', ['$HOME', '`ls`', '*']],
])('%s is split as a shell does', (line, words) => {
  expect(splitWords(line)).toEqual(words)
})

test.each([
  [`-p 'open`, "a ' is not closed"],
  ['-p "open', 'a " is not closed'],
  ['-p end\\', 'nothing follows the \\'],
])('%s is no line', (line, why) => {
  expect(() => splitWords(line)).toThrow(WordsError)
  expect(() => splitWords(line)).toThrow(why)
})
