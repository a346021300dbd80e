import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { goldenLogFileSize, GOLDEN_QUEUE_FILE_SIZE, unpackGolden } from '../support/golden-store.ts'
import { IndexRig, SMALL_INDEX } from '../support/index-rig.ts'
import { tempFolder } from '../support/temp-folder.ts'

interface GoldenIndex {
  name: string
  /** Names of its index files. */
  files: string[]
  /** What Apache's IndexService finds, newest first. */
  queries: { topic: string; key: string; phyOffsets: number[] }[]
}

const all = JSON.parse(
  readFileSync(new URL('../golden/store/index-queries.json', import.meta.url), 'utf8'),
) as GoldenIndex[]

function open(root: string, name: string): IndexRig {
  const logFileSize = goldenLogFileSize(name)
  return new IndexRig({ root, logFileSize, queueFileSize: GOLDEN_QUEUE_FILE_SIZE })
}

async function expectFound(rig: IndexRig, { queries }: GoldenIndex): Promise<void> {
  for (const { topic, key, phyOffsets } of queries) {
    // What was cut off the log is not found any more.
    const end = rig.store.recovered.end
    const there = phyOffsets.filter((position) => position < end)
    expect([key, await rig.find(key, { topic })]).toEqual([key, there.toReversed()])
  }
}

describe.each(all)('the index of Apache’s store $name', (golden) => {
  const { name, files } = golden

  test('finds what it finds at Apache', async () => {
    const rig = open(unpackGolden(name, tempFolder()), name)
    rig.run()
    await expectFound(rig, golden)
    rig.stop()
  })

  test('is the same when it is made anew from the log, byte for byte', async () => {
    const root = unpackGolden(name, tempFolder())
    const apache = files.map((file) => readFileSync(join(root, 'index', file)))
    rmSync(join(root, 'index'), { recursive: true })
    const rig = open(root, name)
    rig.run()
    await expectFound(rig, golden)
    rig.stop()
    if (name === 'torn-tail') return // Apache's has a message that was cut off since
    expect(rig.files.map((file) => rig.bytesOf(file))).toEqual(apache)
  })
})

test('an index of Apache is gone on with where it ends', () => {
  const root = unpackGolden('rollover', tempFolder())
  const rig = open(root, 'rollover')
  const before = rig.files
  rig.run()
  for (let nth = 0; nth < SMALL_INDEX.items; nth++) rig.send(`key${nth}`)
  rig.stop()
  expect(rig.files.slice(0, before.length)).toEqual(before)
  expect(rig.files.length).toBe(before.length + 1)
})
