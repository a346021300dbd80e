/** Timer files that are none: what a start says of them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { closeTimerFiles, openTimerFiles } from '../../src/store/timer-files.ts'
import { tempFolder } from '../support/temp-folder.ts'

function open(root: string) {
  const files = { precisionMs: 1000, logFileSize: 5216, wheelSlots: 512 }
  return openTimerFiles(systemDisk, { root, ...files })
}

function withFile(...path: string[]): { root: string; write: (bytes: Uint8Array) => void } {
  const root = tempFolder()
  mkdirSync(join(root, ...path.slice(0, -1)), { recursive: true })
  return { root, write: (bytes) => writeFileSync(join(root, ...path), bytes) }
}

test.each([
  [
    'that somebody made there',
    'notes.txt',
    /timerlog\/notes\.txt: not a file of the timer log.*move it away/,
  ],
  ['whose name is too short', '0', /timerlog\/0: not a file of the timer log/],
  [
    'of another length',
    '00000000000000000000',
    /00000000000000000000: not a timer log file of 5216/,
  ],
])('a file in timerlog %s stops the start and is named', (_, name, says) => {
  const { root, write } = withFile('timerlog', name)
  write(Buffer.alloc(9000))
  expect(() => open(root)).toThrow(says)
})

test('a damaged check point stops the start, and says what moving it away would mean', () => {
  const { root, write } = withFile('config', 'timercheck')
  write(Buffer.alloc(4096, 0xff))
  expect(() => open(root)).toThrow(/config\/timercheck: not a check point.*delivered once more/)
})

test('an empty check point is one of a store without timers', () => {
  const { root, write } = withFile('config', 'timercheck')
  write(Buffer.alloc(0))
  const files = open(root)
  expect(files.check.last).toMatchObject({ readMs: 0, logEnd: 0, queueOffset: 0 })
  closeTimerFiles(files)
})
