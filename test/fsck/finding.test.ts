import { expect, test } from 'vitest'
import { Findings, Part, type Finding } from '../../src/fsck/finding.ts'

const LOG: Finding = { part: Part.LOG, file: 'commitlog/0', position: 7, text: 'damaged' }

function ofQueue(queueId: number, position: number): Finding {
  return { part: Part.QUEUE, file: 'consumequeue', topic: 'T', queueId, position, text: 'lost' }
}

test('each place is known and counted, whether its findings are kept or not', () => {
  const task = new Findings(2)
  for (const finding of [ofQueue(0, 1), ofQueue(0, 2), ofQueue(0, 3), ofQueue(1, 4), LOG]) {
    task.add(finding)
  }
  const all = new Findings(1)
  all.add(LOG)
  all.addAll(task.found())
  expect(all.found()).toEqual({
    kept: [LOG],
    places: [
      { part: 'log', file: 'commitlog/0', count: 2 },
      { part: 'queue', file: 'consumequeue', topic: 'T', queueId: 0, count: 3 },
      { part: 'queue', file: 'consumequeue', topic: 'T', queueId: 1, count: 1 },
    ],
  })
  expect(all.total).toBe(6)
})

test('a place goes with the last finding that is taken back, not before', () => {
  const findings = new Findings(3)
  for (const finding of [ofQueue(0, 1), ofQueue(1, 2), ofQueue(1, 3), ofQueue(1, 4)]) {
    findings.add(finding)
  }
  findings.drop(() => true)
  expect(findings.kept).toEqual([])
  expect(findings.found().places).toMatchObject([{ queueId: 1, count: 1 }])
})
