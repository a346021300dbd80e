import { describe, expect, test } from 'vitest'
import { checkStore } from '../../src/fsck/fsck.ts'
import { findingLine } from '../../src/fsck/finding.ts'
import { goldenStore, unpackGolden } from '../support/golden-store.ts'
import { tempFolder } from '../support/temp-folder.ts'

const CLEAN = [
  'basic',
  'batchcq',
  'cqext',
  'delay-delivered',
  'delay-pending',
  'ha-master',
  'ha-slave',
  'ipv6-v2',
  'kill9',
  'lmq',
  'pop',
  'preblank',
  'propcrc',
  'retry-dlq',
  'rollover',
  'timer',
  'transaction',
]

async function check(name: string) {
  const root = unpackGolden(name, tempFolder())
  return (await checkStore({ root, jobs: 0 })).report
}

test.each(CLEAN)('Apache’s store %s is clean', async (name) => {
  const report = await check(name)
  expect(report.findings.map(findingLine)).toEqual([])
  const golden = goldenStore(name)
  expect(report).toMatchObject({
    minPosition: golden.minPosition,
    end: golden.end,
    findingCount: 0,
  })
  expect(report.messages).toBe(golden.messages.length)
})

describe('Apache’s store with a torn tail', () => {
  test('is told where it is torn, and which entry leads there', async () => {
    const { findings, end } = await check('torn-tail')
    expect(end).toBe(goldenStore('torn-tail').end)
    expect(findings).toMatchObject([
      { part: 'log', file: 'commitlog/00000000000000065536', position: end },
      { part: 'queue', topic: 'TopicRoll', queueId: 0, offset: 59 },
    ])
  })
})
