import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { Output } from '../../src/mqadmin/output.ts'
import { openTerminal } from '../../src/mqadmin/terminal.ts'

const ROW = '%-32s  %-8s %.2f'

/** What a table of a command becomes. */
function printed(terminal: Parameters<typeof Output.prototype.line>[0] | null, width = 80): string {
  let text = ''
  const place = terminal === null ? null : openTerminal(width, terminal === 'colours')
  const out = new Output((more) => (text += more), false, place)
  out.head(ROW.replace('.2f', 's'), '#Topic', '#QID', '#TPS')
  out.row(ROW, 'A', 0, 1)
  out.row(ROW, 'Longer', 12, 12.345)
  out.rule('------')
  out.line('Total: %d', 2)
  return text
}

test('in a pipe a table has the columns of Apache', () => {
  expect(printed(null)).toBe(
    [
      '#Topic                            #QID     #TPS',
      'A                                 0        1.00',
      'Longer                            12       12.35',
      '------',
      'Total: 2',
      '',
    ].join('\n'),
  )
})

test('on a terminal it is as wide as what is in it, numbers at the right', () => {
  expect(printed('plain')).toBe(
    ['Topic   QID    TPS', 'A         0   1.00', 'Longer   12  12.35', 'Total: 2', ''].join('\n'),
  )
})

test('its heads are coloured, where colours are', () => {
  expect(printed('colours')).toContain('\u001B[36mTopic\u001B[39m')
  expect(printed('plain')).not.toContain('\u001B')
})

test('one that is wider than the window is shown row by row', () => {
  expect(printed('plain', 12)).toBe(
    [
      'Topic  A',
      'QID    0',
      'TPS    1.00',
      '',
      'Topic  Longer',
      'QID    12',
      'TPS    12.35',
      'Total: 2',
      '',
    ].join('\n'),
  )
})

test('what others wrote gives a terminal no orders', () => {
  let text = ''
  const out = new Output((more) => (text += more), false, openTerminal(80, true))
  out.line('body: \u001B[2J\u0007')
  out.head('%s', '#Key')
  out.row('%s', '\u001B]0;title\u0007')
  out.end()
  expect(stripVTControlCharacters(text)).toBe('body: \uFFFD[2J\uFFFD\nKey\n\uFFFD]0;title\uFFFD\n')
})

test('an empty table is its heads', () => {
  let text = ''
  const out = new Output((more) => (text += more), false, openTerminal(80, false))
  out.head('%s %s', '#Key', '#Value')
  out.end()
  expect(text).toBe('Key  Value\n')
})
