import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkStore } from '../../src/fsck/fsck.ts'
import { repairStore } from '../../src/fsck/repair.ts'
import { DELAYS_MS } from '../../src/store/tags-code.ts'
import { CheckedStore } from '../support/checked-store.ts'

/** Where it lies in the log. */
const SECOND = 500
const QUEUE = 'consumequeue/TopicBasic/0/00000000000000000000'

function contentOf(folder: string): Map<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).toSorted()
  return new Map(paths.map((path) => [path.slice(folder.length), readFileSync(path)]))
}

/** The second message of a queue, with another topic than its entry's. */
function misnamed(): CheckedStore {
  const log = 'commitlog/00000000000000000000'
  return new CheckedStore('basic').edit(log, (bytes) => {
    bytes.write('ZZZ', bytes.indexOf('TopicBasic', SECOND) + 2)
  })
}

describe('a repair', () => {
  test('makes a queue anew, byte for byte, and keeps the old one', async () => {
    const store = new CheckedStore('basic')
    const good = readFileSync(store.path(QUEUE))
    store.edit(QUEUE, (bytes) => void bytes.fill(0xee, 40, 80))
    const damaged = readFileSync(store.path(QUEUE))
    const { aside, queues } = await store.repair()
    expect(queues).toBe(1)
    expect(readFileSync(store.path(QUEUE)).equals(good)).toBe(true)
    expect(readFileSync(join(aside!, QUEUE)).equals(damaged)).toBe(true)
    expect(await store.findings()).toEqual([])
  })

  test('makes a queue whose folder is gone', async () => {
    const store = new CheckedStore('basic')
    const good = readFileSync(store.path(QUEUE))
    rmSync(store.path('consumequeue/TopicBasic'), { recursive: true })
    await store.repair()
    expect(readFileSync(store.path(QUEUE)).equals(good)).toBe(true)
    expect(await store.findings()).toEqual([])
  })

  test('leaves it to a start to make all queues: only that knows how long their files must be', async () => {
    const store = new CheckedStore('basic')
    rmSync(store.path('consumequeue'), { recursive: true })
    const { skipped } = await store.repair()
    expect(skipped).toContain('no queue has a file: the next start makes them all anew')
    expect(existsSync(store.path('consumequeue'))).toBe(false)
  })

  test('moves an index aside that has no usual length', async () => {
    const store = new CheckedStore('basic')
    const path = store.firstLike('index/')
    store.edit(path, (bytes) => bytes.subarray(0, 1234))
    const { aside, skipped } = await store.repair()
    expect(existsSync(join(aside!, path))).toBe(true)
    expect(skipped).toContain('the index had no usual format: RingMQ makes it anew when it runs')
    expect(await store.findings()).toEqual([])
  })

  test('makes the index anew, in files like the old ones', async () => {
    const store = new CheckedStore('rollover')
    const path = store.firstLike('index/')
    store.edit(path, (bytes) => void bytes.fill(0xee, 1000, 1100))
    const { aside, index } = await store.repair()
    expect(index).toBe(true)
    expect(existsSync(join(aside!, path))).toBe(true)
    expect(await store.findings()).toEqual([])
    expect((await store.check()).indexItems).toBe(660)
  })

  test('takes a checkpoint that lies out of the way', async () => {
    const store = new CheckedStore('basic').edit('checkpoint', (bytes) => void (bytes[1]! ^= 1))
    const { aside } = await store.repair()
    expect(existsSync(join(aside!, 'checkpoint'))).toBe(true)
    expect(await store.findings()).toEqual([])
  })

  test('makes manifests of a store that has none, and only once', async () => {
    const store = new CheckedStore('rollover')
    expect((await store.repair()).manifests).toBe(6)
    expect((await store.repair()).manifests).toBe(0)
    expect((await store.check()).manifestBytes).toBe(331_582)
  })

  test('never touches the log, nor gives a damaged file of it a manifest', async () => {
    const store = new CheckedStore('rollover')
    const path = 'commitlog/00000000000000131072'
    store.edit(path, (bytes) => void (bytes[500]! ^= 1))
    const before = contentOf(store.path('commitlog'))
    const { manifests, skipped } = await store.repair()
    expect(contentOf(store.path('commitlog'))).toEqual(before)
    expect(manifests).toBe(5)
    expect(skipped).toContain('findings in log files left as they are: 1')
    const parts = (await store.findings()).map(({ part }) => part)
    expect(parts).toContain('log')
  })

  test('goes by all that is wrong, however few findings are kept', async () => {
    const store = new CheckedStore('rollover')
    const damaged = '00000000000000131072'
    store.edit(`commitlog/${damaged}`, (bytes) => void (bytes[500]! ^= 1))
    store.edit(store.firstLike('index/'), (bytes) => void bytes.fill(0xee, 1000, 1100))
    store.edit('checkpoint', (bytes) => void (bytes[1]! ^= 1))
    store.edit(
      'consumequeue/TopicRoll/0/00000000000000004000',
      (bytes) => void bytes.fill(0xee, 0, 20),
    )
    rmSync(store.path('consumequeue/TopicRoll/1'), { recursive: true })
    const { map, report } = await checkStore({ root: store.root, jobs: 0, findingsMax: 3 })
    expect(report.findings.map(({ part }) => part)).toEqual(['queue', 'queue', 'queue'])
    const repaired = await repairStore(map, report, { nowMs: 1 })
    expect(repaired).toMatchObject({ queues: 2, index: true, manifests: 5 })
    expect(repaired.skipped).toEqual(['findings in log files left as they are: 1'])
    expect(existsSync(store.path(`ringmq-manifest/${damaged}`))).toBe(false)
    expect(existsSync(join(repaired.aside!, 'checkpoint'))).toBe(true)
    expect(await store.findings()).toMatchObject([{ part: 'log', file: `commitlog/${damaged}` }])
  })

  test('gives delayed messages their times by the levels of their broker', async () => {
    const store = new CheckedStore('delay-pending')
    const topic = 'consumequeue/SCHEDULE_TOPIC_XXXX'
    const [level] = readdirSync(store.path(topic))
    const file = `${topic}/${level}/00000000000000000000`
    const before = readFileSync(store.path(file)).readBigInt64BE(12)
    rmSync(store.path(`${topic}/${level}`), { recursive: true })
    const { map, report } = await checkStore({ root: store.root, jobs: 0 })
    const delaysMs = Array.from({ length: 18 }, () => 123_456)
    expect(await repairStore(map, report, { nowMs: 1, delaysMs })).toMatchObject({ queues: 1 })
    const after = readFileSync(store.path(file)).readBigInt64BE(12)
    const ofLevel = DELAYS_MS[Number(level)]!
    expect(Number(after - before)).toBe(123_456 - ofLevel)
  })

  test('does not make good what a manifest says is damaged', async () => {
    const store = new CheckedStore('basic')
    await store.repair()
    store.edit('commitlog/00000000000000000000', (bytes) => void (bytes[44]! ^= 1))
    expect((await store.repair()).manifests).toBe(0)
    expect((await store.findings()).length).toBe(1)
  })

  test('keeps the entry of a message whose own name is damaged', async () => {
    const store = misnamed()
    const before = contentOf(store.path('consumequeue'))
    const indexBefore = contentOf(store.path('index'))
    expect(await store.repair()).toMatchObject({ aside: null, queues: 0, index: false })
    expect(contentOf(store.path('consumequeue'))).toEqual(before)
    expect(contentOf(store.path('index'))).toEqual(indexBefore)
    expect(await store.findings()).toMatchObject([{ part: 'log', position: SECOND }])
  })

  test('gives a file with such a message no manifest', async () => {
    expect((await misnamed().repair()).manifests).toBe(0)
  })

  test('puts such a message where its entry was when the queue has to be made anew', async () => {
    const store = misnamed()
    const good = readFileSync(store.path(QUEUE))
    store.edit(QUEUE, (bytes) => void bytes.fill(0xee, 100, 120))
    expect((await store.repair()).queues).toBe(1)
    expect(readFileSync(store.path(QUEUE)).equals(good)).toBe(true)
    expect(await store.findings()).toMatchObject([{ part: 'log', position: SECOND }])
  })

  test('finds such a message by its true topic when the index has to be made anew', async () => {
    const store = misnamed()
    const path = store.firstLike('index/')
    store.edit(path, (bytes) => void bytes.fill(0xee, 1000, 1100))
    expect((await store.repair()).index).toBe(true)
    const whole = new CheckedStore('basic')
    whole.edit(whole.firstLike('index/'), (bytes) => void bytes.fill(0xee, 1000, 1100))
    await whole.repair()
    expect([...contentOf(store.path('index')).values()]).toEqual([
      ...contentOf(whole.path('index')).values(),
    ])
  })

  test('makes a light queue anew from messages of other topics', async () => {
    const store = new CheckedStore('lmq')
    const path = store.firstLike('consumequeue/%LMQ%')
    const whole = contentOf(store.path(dirname(path)))
    store.edit(path, (bytes) => void (bytes[7]! ^= 1))
    expect((await store.findings()).map(({ part }) => part)).toContain('queue')
    await store.repair()
    expect(await store.findings()).toEqual([])
    expect(contentOf(store.path(dirname(path)))).toEqual(whole)
  })

  test('of the store batchcq says what it cannot make', async () => {
    const store = new CheckedStore('batchcq')
    const real = store.firstLike('batchconsumequeue/TopicBcq/0/00000000000000000000')
    store.edit(real, (bytes) => void (bytes[7]! ^= 1))
    const { skipped, aside } = await store.repair()
    expect(skipped.length).toBeGreaterThan(0)
    expect(aside).toBeNull()
  })
})
