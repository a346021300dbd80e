import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { MatrixCluster } from './matrix-cluster.ts'
import { CHANGES, QUESTIONS } from './matrix-lines.ts'

/** {our mqadmin, Apache's} × {our cluster, Apache's}: the same facts in all four. */
describe.skipIf(inject('java') === null)('mqadmin in four cells', () => {
  let clusters: MatrixCluster[]
  beforeAll(async () => {
    clusters = [await MatrixCluster.start('ringmq'), await MatrixCluster.start('apache')]
  }, 240_000)
  afterAll(() => Promise.all(clusters.map((cluster) => cluster.dispose())))

  test.each([...QUESTIONS, ...CHANGES])('$line', async (each) => {
    const [ours, apaches] = clusters as [MatrixCluster, MatrixCluster]
    const cells = {
      'ours on ours': await ours.our(each),
      'Apache on ours': await ours.apaches(each),
      'ours on Apache': await apaches.our(each),
      'Apache on Apache': await apaches.apaches(each),
    }
    const all = each.sharedAtLeast === undefined ? cells : sharedOf(cells)
    const expected = all['Apache on Apache']
    expect(expected.length).toBeGreaterThanOrEqual(each.sharedAtLeast ?? 1)
    for (const [name, facts] of Object.entries(all)) {
      expect([name, ...facts]).toEqual([name, ...expected])
    }
  })
})

/** Of lines `key = value` or `key : value` those whose keys are in every cell. */
function sharedOf<Cells extends Record<string, string[]>>(cells: Cells): Cells {
  const keyOf = (line: string) => line.split(/ ?[:=]/)[0]!
  const keys = Object.values(cells).map((lines) => new Set(lines.map(keyOf)))
  const isShared = (line: string) => keys.every((each) => each.has(keyOf(line)))
  const shared = Object.entries(cells).map(([name, lines]) => [name, lines.filter(isShared)])
  return Object.fromEntries(shared) as Cells
}
