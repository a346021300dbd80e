import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { CheckedStore } from '../support/checked-store.ts'

const LOG = 'commitlog/00000000000000000000'
const QUEUE = 'consumequeue/TopicBasic/0/00000000000000000000'
/** Of the store `basic`: its message 1 of TopicBasic, queue 0. */
const SECOND = 500

function basic(): CheckedStore {
  return new CheckedStore('basic')
}

describe('in the log, fsck finds', () => {
  test.each([
    ['a body', 90],
    ['a magic', 6],
    ['a length', 2],
    ['a position of its own', 34],
  ])(
    '%s that was changed, where the message was, and where the next good one is',
    async (_, at) => {
      const store = basic().edit(LOG, (bytes) => void (bytes[SECOND + at]! ^= 1))
      const [first, second] = await store.findings()
      expect(first).toMatchObject({ part: 'log', file: LOG, position: SECOND })
      expect(first!.text).toContain('the next good message is at 750')
      expect(second).toMatchObject({ part: 'queue', topic: 'TopicBasic', queueId: 0, offset: 1 })
    },
  )

  test.each([
    ['a queue id', 15],
    ['an offset', 27],
    ['a topic', 101],
  ])('%s that was changed, by the entry that leads to the message', async (_, at) => {
    const store = basic()
    store.edit(LOG, (bytes) => void (bytes[SECOND + at]! ^= 1))
    const { findings, notes } = await store.check()
    const where = { position: SECOND, topic: 'TopicBasic', queueId: 0, offset: 1 }
    expect(findings).toMatchObject([{ part: 'log', file: LOG, ...where }])
    expect(findings[0]!.text).toMatch(
      /^the message names itself message \d+ of topic .+ queue \d+, and an entry that leads to it is 1 of topic TopicBasic queue 0$/,
    )
    expect(notes).toEqual([])
  })

  test('a damaged name once for each of the entries that lead to the message', async () => {
    const store = basic()
    store.edit(LOG, (bytes) => void (bytes[SECOND + 15]! ^= 0x40))
    const entries = readFileSync(store.path(QUEUE))
    store.edit(QUEUE.replace('/0/', '/1/'), (bytes) => void entries.copy(bytes, 20, 20, 40))
    const findings = (await store.findings()).filter(({ part }) => part === 'log')
    expect(findings).toMatchObject([0, 1].map((queueId) => ({ position: SECOND, queueId })))
    for (const { text } of findings) expect(text).toContain('an entry that leads to it is 1 of')
  })

  test('a damaged name in a store that has messages of deleted topics, and counts only those', async () => {
    const store = basic().edit('config/topics.json', (bytes) =>
      Buffer.from(bytes.toString().replaceAll('"TopicBasic"', '"TopicOther"')),
    )
    rmSync(store.path('consumequeue/TopicBasic/1'), { recursive: true })
    store.edit(LOG, (bytes) => void bytes.write('ZZZ', bytes.indexOf('TopicBasic', SECOND) + 2))
    const { findings, notes } = await store.check()
    expect(findings).toMatchObject([{ part: 'log', position: SECOND }])
    expect(notes).toEqual(['8 messages of topics that were deleted'])
  })

  test('a key that was changed, by the index', async () => {
    const store = basic().edit(LOG, (bytes) => {
      const at = bytes.indexOf('UNIQ_KEY\u0001') + 12
      bytes[at]! ^= 1
    })
    const texts = (await store.findings()).map(({ text }) => text)
    expect(texts).toContain('not all keys of the message are in the index')
  })

  test('tags that were changed, by the queue', async () => {
    const store = basic().edit(LOG, (bytes) => {
      bytes[bytes.indexOf('TAGS\u0001') + 5]! ^= 1
    })
    const [finding] = await store.findings()
    expect(finding).toMatchObject({ part: 'queue', topic: 'TopicBasic' })
    expect(finding!.text).toMatch(/^the entry has tags code \d+, the message \d+$/)
  })

  test('the checksum of the whole record, where there is one', async () => {
    const store = new CheckedStore('propcrc').edit(LOG, (bytes) => void (bytes[44]! ^= 1))
    expect(await store.findings()).toMatchObject([{ part: 'log', file: LOG, position: 0 }])
  })

  test('whatever was changed, in a file that has a manifest', async () => {
    const store = basic()
    expect((await store.repair()).manifests).toBe(1)
    store.edit(LOG, (bytes) => void (bytes[44]! ^= 1)) // a born timestamp
    const [finding] = await store.findings()
    expect(finding).toMatchObject({ part: 'log', file: LOG, position: 0 })
    expect(finding!.text).toContain('CRC-32C')
  })

  test('a file that is missing, or too short', async () => {
    const missing = new CheckedStore('rollover')
    rmSync(missing.path('commitlog/00000000000000131072'))
    expect((await missing.findings())[0]).toMatchObject({ part: 'log', position: 196_608 })
    const short = new CheckedStore('rollover')
    short.edit('commitlog/00000000000000131072', (bytes) => bytes.subarray(0, 1000))
    expect((await short.findings()).map(({ text }) => text)).toContain(
      'the file has 1000 bytes, the others 65536',
    )
  })

  test('a blank record that lies about what is left', async () => {
    const store = new CheckedStore('rollover')
    store.edit(LOG, (bytes) => {
      const at = bytes.indexOf(Buffer.from([0xcb, 0xd4, 0x31, 0x94]))
      bytes[at - 1]! ^= 1
    })
    expect((await store.findings())[0]).toMatchObject({ part: 'log', file: LOG })
  })

  test('zeros where the last messages were, by the entries that lead there', async () => {
    const store = basic().edit(LOG, (bytes) => void bytes.fill(0, 26_000))
    const findings = await store.findings()
    const texts = findings.map(({ text }) => text)
    expect(texts).toContainEqual(expect.stringContaining('behind the end of the log'))
  })
})

describe('in a queue, fsck finds', () => {
  test('an entry that leads to a message with an entry of its own', async () => {
    const store = basic()
    const other = readFileSync(store.path(QUEUE.replace('/0/', '/1/')))
    store.edit(QUEUE, (bytes) => void other.copy(bytes, 3 * 20, 3 * 20, 4 * 20))
    const findings = await store.findings()
    expect(new Set(findings.map(({ part }) => part))).toEqual(new Set(['queue']))
    expect(findings.at(-1)!.text).toContain('where message 3 of topic TopicBasic queue 1 stands')
  })

  test('entries of another queue, whose folder it took', async () => {
    const store = basic()
    renameSync(store.path('consumequeue/TopicBasic/0'), store.path('consumequeue/TopicBasic/9'))
    const findings = await store.findings()
    expect(new Set(findings.map(({ part }) => part))).toEqual(new Set(['queue']))
    expect(findings.filter(({ queueId }) => queueId === 9).map(({ offset }) => offset)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7,
    ])
  })

  test.each([
    ['position', 7],
    ['length', 11],
    ['tags code', 19],
  ])('an entry with a wrong %s', async (_, at) => {
    const store = basic().edit(QUEUE, (bytes) => void (bytes[3 * 20 + at]! ^= 1))
    const findings = await store.findings()
    const where = { part: 'queue', file: QUEUE, topic: 'TopicBasic', queueId: 0, offset: 3 }
    expect(findings[0]).toMatchObject(where)
    expect(new Set(findings.map(({ offset }) => offset))).toEqual(new Set([3]))
  })

  test('an entry too many, and one too few', async () => {
    const many = basic().edit(QUEUE, (bytes) => {
      bytes.copy(bytes, 8 * 20, 7 * 20, 8 * 20)
    })
    expect(await many.findings()).toMatchObject([{ part: 'queue', file: QUEUE, offset: 8 }])
    const few = basic().edit(QUEUE, (bytes) => void bytes.fill(0, 7 * 20, 8 * 20))
    expect(await few.findings()).toMatchObject([{ part: 'queue', file: QUEUE, offset: 7 }])
  })

  test('two entries that have changed places', async () => {
    const store = basic().edit(QUEUE, (bytes) => {
      const one = Buffer.from(bytes.subarray(20, 40))
      bytes.copy(bytes, 20, 40, 60)
      one.copy(bytes, 40)
    })
    const offsets = (await store.findings()).map(({ offset }) => offset)
    expect(offsets).toEqual(expect.arrayContaining([1, 2]))
    expect(await store.findings()).not.toContainEqual(expect.objectContaining({ part: 'log' }))
  })

  test('that its folder is gone, unless its topic is', async () => {
    const lost = basic()
    rmSync(lost.path('consumequeue/TopicBasic'), { recursive: true })
    expect((await lost.findings())[0]).toMatchObject({ part: 'queue', topic: 'TopicBasic' })
    const deleted = basic().edit('config/topics.json', (bytes) =>
      Buffer.from(bytes.toString().replaceAll('"TopicBasic"', '"TopicOther"')),
    )
    rmSync(deleted.path('consumequeue/TopicBasic'), { recursive: true })
    const { findings, notes } = await deleted.check()
    expect(findings).toEqual([])
    expect(notes).toContain('16 messages of topics that were deleted')
  })

  test.each([
    ['batchcq', 'batchconsumequeue/TopicBcq/0/00000000000000000000', 46 + 35],
    ['cqext', 'consumequeue_ext/TopicExt/0/00000000000000000000', 3],
    ['lmq', 'consumequeue/%LMQ%a/0/00000000000000000000', 7],
  ])('what is wrong in the kind of store %s', async (name, path, at) => {
    const store = new CheckedStore(name)
    const real = store.firstLike(path)
    store.edit(real, (bytes) => void (bytes[at]! ^= 1))
    expect((await store.findings())[0]).toMatchObject({ part: 'queue' })
  })
})

describe('in the index, fsck finds', () => {
  const HEADER = 40
  const ITEMS = HEADER + 64 * 4

  test.each([
    ['a slot', HEADER + 4 * 10 + 3, 1],
    ['a hash', ITEMS + 5 * 20 + 3, 1],
    ['a position', ITEMS + 5 * 20 + 11, 1],
    ['a time', ITEMS + 5 * 20 + 15, 1],
    ['an item before', ITEMS + 5 * 20 + 19, 1],
    ['a count', 39, 1],
    ['a count of slots', 35, 1],
    ['where it begins', 23, 1],
    ['where it ends', 31, 1],
  ])('%s that was changed', async (_, at, bit) => {
    const store = basic()
    const path = store.firstLike('index/')
    store.edit(path, (bytes) => void (bytes[at]! ^= bit))
    const findings = await store.findings()
    expect(findings.length).toBeGreaterThan(0)
    for (const { part } of findings) expect(part).toBe('index')
  })
})

describe('beside them, fsck finds', () => {
  test('a table that is no JSON, and says whether there is one before it', async () => {
    const store = basic()
    cpSync(store.path('config/topics.json'), store.path('config/topics.json.bak'))
    store.edit('config/topics.json', (bytes) => bytes.subarray(0, 100))
    const [finding] = await store.findings()
    expect(finding).toMatchObject({ part: 'config', file: 'config/topics.json' })
    expect(finding!.text).toContain('a start takes topics.json.bak instead')
  })

  test('a checkpoint that knows of messages that are not there', async () => {
    const store = basic().edit('checkpoint', (bytes) => void (bytes[1]! ^= 1))
    expect((await store.findings())[0]).toMatchObject({ part: 'checkpoint' })
  })

  test('a log that ends before the last clean stop did, and a stop that cannot be read', async () => {
    const store = basic()
    const { end } = await store.check()
    const stop = { boot: 'b', end: end + 100, timestamp: 0, queues: 0, entries: 0 }
    writeFileSync(store.path('ringmq-clean-stop'), JSON.stringify(stop))
    const text = `the log ends here, and ended at ${end + 100} at the last clean stop`
    expect(await store.findings()).toMatchObject([{ part: 'log', position: end, text }])
    writeFileSync(store.path('ringmq-clean-stop'), '{')
    const where = { part: 'checkpoint', file: 'ringmq-clean-stop' }
    expect(await store.findings()).toMatchObject([where])
  })

  test('a manifest that was changed', async () => {
    const store = basic()
    await store.repair()
    const path = `ringmq-manifest/${LOG.slice('commitlog/'.length)}`
    store.edit(path, (bytes) => void (bytes[60]! ^= 1))
    expect(await store.findings()).toMatchObject([{ part: 'manifest', file: path }])
  })

  test('files that no broker would start with', async () => {
    const store = basic()
    writeFileSync(store.path('commitlog/notes.txt'), '')
    mkdirSync(store.path('commitlog/folder')) // both brokers pass over it
    expect(await store.findings()).toMatchObject([{ part: 'file', file: 'commitlog/notes.txt' }])
  })
})
