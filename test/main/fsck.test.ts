import { expect, test } from 'vitest'
import { CheckedStore } from '../support/checked-store.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { runScript } from './running-program.ts'

test('ringmq fsck checks a store in threads of its own, and ends with what it found', async () => {
  const clean = new CheckedStore('rollover')
  const whole = await runScript('ringmq', 'fsck', clean.root, '--jobs', '2').ended
  expect(whole).toMatchObject({ exitCode: 0 })
  expect(whole.stdout).toContain('330 messages')
  const torn = new CheckedStore('torn-tail')
  const found = await runScript('ringmq', 'fsck', torn.root, '--json', '--jobs', '2').ended
  expect(found).toMatchObject({ exitCode: 1 })
  expect(JSON.parse(found.stdout)).toMatchObject({ findingCount: 2, messages: 89 })
})

test('ringmq fsck tells how it is used, and ends with 2, when it cannot check', async () => {
  const lost = await runScript('ringmq', 'fsck').ended
  expect(lost).toMatchObject({ exitCode: 2 })
  expect(lost.stdout).toContain('usage: ringmq fsck DIR')
  const empty = await runScript('ringmq', 'fsck', tempFolder()).ended
  expect(empty).toMatchObject({ exitCode: 2 })
  expect(empty.stdout).toContain('is no store')
})
