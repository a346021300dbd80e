import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseFsck, runFsck } from '../../src/fsck/command.ts'
import { StoreLock } from '../../src/store/store-lock.ts'
import { CheckedStore } from '../support/checked-store.ts'
import { tempFolder } from '../support/temp-folder.ts'

const QUEUE = 'consumequeue/TopicBasic/0/00000000000000000000'
const PLAIN = { repair: false, json: false, jobs: 1, delayLevels: null }

async function run(root: string, options: Partial<typeof PLAIN> = {}) {
  const lines: string[] = []
  const code = await runFsck({ root, ...PLAIN, ...options }, (line) => lines.push(line))
  return { code, lines }
}

describe('the command line', () => {
  test('names one store and what to do', () => {
    expect(parseFsck(['/store', '--json', '--jobs', '3'])).toEqual({
      root: '/store',
      repair: false,
      json: true,
      jobs: 3,
      delayLevels: null,
    })
    expect(parseFsck(['/a/../store/'])).toMatchObject({ root: '/store' })
    expect(parseFsck(['/store', '--delay-levels', '1s 2h'])).toMatchObject({ delayLevels: '1s 2h' })
    expect(parseFsck(['--repair', '/store'])).toMatchObject({ root: '/store', repair: true })
  })

  test.each([[[]], [['a', 'b']], [['a', '--fix']], [['a', '--jobs', '0']], [['a', '--jobs', 'x']]])(
    'cannot be %j',
    (argv) => expect(parseFsck(argv)).toBeNull(),
  )
})

describe('ringmq fsck', () => {
  test('ends with 0 when nothing is wrong, and says what it looked at', async () => {
    const { code, lines } = await run(new CheckedStore('basic').root)
    expect(code).toBe(0)
    expect(lines.at(-2)).toContain('33 messages')
    expect(lines.at(-1)).toBe('clean')
  })

  test('ends with 1 when something is, and says what and where', async () => {
    const store = new CheckedStore('basic').edit(QUEUE, (bytes) => void (bytes[67]! ^= 1))
    const { code, lines } = await run(store.root)
    expect(code).toBe(1)
    expect(lines[0]).toContain(
      `${QUEUE} at 1589, topic TopicBasic queue 0, offset 3: the entry says`,
    )
    expect(lines.at(-1)).toBe('2 things are wrong')
  })

  test('ends with 3 when all of it was repaired, with 1 when some was not', async () => {
    const queue = new CheckedStore('basic').edit(QUEUE, (bytes) => void (bytes[67]! ^= 1))
    expect((await run(queue.root, { repair: true })).code).toBe(3)
    expect((await run(queue.root, { repair: true })).code).toBe(0)
    const log = new CheckedStore('basic')
    log.edit('commitlog/00000000000000000000', (bytes) => void (bytes[90]! ^= 1))
    expect((await run(log.root, { repair: true })).code).toBe(1)
  })

  test('ends with 1, and says why, however often a damaged name is repaired', async () => {
    const store = new CheckedStore('basic')
    const path = 'commitlog/00000000000000000000'
    store.edit(path, (bytes) => void bytes.write('ZZZ', bytes.indexOf('TopicBasic') + 2))
    for (const _ of ['once', 'again']) {
      const { code, lines } = await run(store.root, { repair: true })
      expect(code).toBe(1)
      const after = lines.slice(lines.findLastIndex((line) => line.startsWith('repair: ')))
      expect(after[0]).toBe('repair: findings in log files left as they are: 1')
      expect(after[1]).toContain('the message names itself message 0 of topic ToZZZBasic queue 0')
    }
  })

  test('prints one object with --json', async () => {
    const store = new CheckedStore('torn-tail')
    const { code, lines } = await run(store.root, { json: true })
    expect(code).toBe(1)
    expect(lines.length).toBe(1)
    expect(JSON.parse(lines[0]!)).toMatchObject({ messages: 89, end: 86_875, findingCount: 2 })
  })

  test('ends with 2 where there is no store', async () => {
    const folder = tempFolder()
    expect((await run(join(folder, 'nowhere'))).code).toBe(2)
    mkdirSync(join(folder, 'empty'))
    const { code, lines } = await run(join(folder, 'empty'))
    expect(code).toBe(2)
    expect(lines[0]).toContain('is no store')
  })

  test('ends with 2 while a broker uses the store, and changes nothing in it', async () => {
    const { root } = new CheckedStore('basic')
    const lock = await StoreLock.take(root)
    onTestFinished(() => lock.release())
    for (const repair of [false, true]) {
      const { code, lines } = await run(root, { repair })
      expect(code).toBe(2)
      expect(lines[0]).toContain('another RingMQ broker')
    }
  })

  test('keeps a broker from starting meanwhile', async () => {
    const { root } = new CheckedStore('basic')
    const release = await StoreLock.hold(root)
    await expect(StoreLock.take(root)).rejects.toThrow('another RingMQ broker')
    await release()
    await (await StoreLock.take(root)).release()
  })

  test('writes nothing into a store that it only checks', async () => {
    const { root } = new CheckedStore('basic')
    rmSync(join(root, 'lock'), { force: true })
    const before = statSync(root).mtimeMs
    await run(root)
    expect(statSync(root).mtimeMs).toBe(before)
  })
})
