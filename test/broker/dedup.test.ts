/** Topics with dedup.window.ms: the rules, against a model in memory. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Dedup } from '../../src/broker/dedup.ts'
import type { StoredAt } from '../../src/broker/dedup-window.ts'
import type { MessageDraft } from '../../src/broker/message-draft.ts'
import { topicConfig } from '../../src/broker/system-topics.ts'
import type { TopicConfig } from '../../src/protocol/bodies/topic-config.ts'
import { ResponseError } from '../../src/protocol/response-error.ts'
import { MemoryLog } from './memory-log.ts'
import { HandClock } from './open-broker.ts'

const LENGTH = 100

interface Kept extends StoredAt {
  topic: string
  key: string
}

/** A log in memory, topics, and the part under test; `restart` forgets what only it knows. */
class Rig {
  readonly clock = new HandClock()
  readonly log = new MemoryLog()
  readonly stored: Kept[] = []
  readonly topics = new Map<string, TopicConfig>()
  /** The next appends wait for this. */
  gate: Promise<void> = Promise.resolve()
  /** What was read back from the queues takes as long as this to come. */
  recall: Promise<void> = Promise.resolve()
  isFull = false
  dedup: Dedup
  readonly #max: number

  constructor(max = 1000) {
    this.#max = max
    this.dedup = this.#opened()
  }

  set(topic: string, windowMs: number): void {
    const attributes = new Map(windowMs > 0 ? [['dedup.window.ms', String(windowMs)]] : [])
    this.topics.set(topic, { ...topicConfig(topic, 1, 6), attributes })
  }

  restart(): void {
    this.dedup = this.#opened()
  }

  send(topic: string, key: string): Promise<StoredAt> {
    const draft = { topic, queueId: 0, key } as unknown as MessageDraft
    return this.dedup.store(draft, key)
  }

  #opened(): Dedup {
    const { clock, log, stored, topics } = this
    return new Dedup({
      messages: {
        begin: async (draft) => {
          await this.gate
          if (this.isFull) throw new ResponseError('SYSTEM_BUSY', 'full')
          return this.#append(draft as MessageDraft & { key: string })
        },
        survives: async () => undefined,
      },
      topic: (name) => topics.get(name),
      storedSince: async ({ topicName }, since, max) => {
        const found = stored
          .filter(({ topic, storeTimestamp }) => topic === topicName && storeTimestamp >= since)
          .slice(-max)
        await this.recall
        return found.map((each) => [each.key, each])
      },
      max: this.#max,
      clock,
      log,
    })
  }

  #append({
    topic,
    queueId,
    key,
  }: MessageDraft & { key: string }): StoredAt & { storeTimestamp: number } {
    const position = this.stored.length * LENGTH
    const end = position + LENGTH
    const queueOffset = this.stored.length
    const at = { topic, key, queueId, queueOffset, position, end, storeTimestamp: this.clock.now() }
    this.stored.push(at)
    return at
  }
}

/** Where it must be found, if it is not to be stored. */
function first(
  stored: readonly Kept[],
  topic: string,
  key: string,
  since: number,
): Kept | undefined {
  return stored.findLast(
    (each) => each.topic === topic && each.key === key && each.storeTimestamp >= since,
  )
}

test('a message is stored unless its key was within the window, whatever happened in between', async () => {
  const topic = fc.constantFrom('one', 'two')
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('send' as const),
        topic,
        key: fc.constantFrom('a', 'b', 'c'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('wait' as const),
        ms: fc.integer({ min: 1, max: 60 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('set' as const),
        topic,
        windowMs: fc.constantFrom(0, 20, 100),
      }),
    },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const rig = new Rig()
      const windows = new Map([
        ['one', 50],
        ['two', 100],
      ])
      for (const [name, ms] of windows) rig.set(name, ms)
      for (const each of steps) {
        if (each.kind === 'wait') rig.clock.time += each.ms
        else if (each.kind === 'restart') rig.restart()
        else if (each.kind === 'set') {
          windows.set(each.topic, each.windowMs)
          rig.set(each.topic, each.windowMs)
        } else {
          const windowMs = windows.get(each.topic)!
          const since = windowMs === 0 ? Infinity : rig.clock.now() - windowMs
          const known = first(rig.stored, each.topic, each.key, since)
          const count = rig.stored.length
          const answer = await rig.send(each.topic, each.key)
          expect(rig.stored.length).toBe(known === undefined ? count + 1 : count)
          expect(answer.position).toBe((known ?? rig.stored.at(-1)!).position)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('messages of one key that come at once are stored once, and share what becomes of it', async () => {
  const rig = new Rig()
  rig.set('T', 1000)
  await rig.send('T', 'before')
  const { promise, resolve } = Promise.withResolvers<void>()
  rig.gate = promise
  const together = Array.from({ length: 5 }, () => rig.send('T', 'k'))
  resolve()
  const answers = await Promise.all(together)
  expect(new Set(answers.map(({ position }) => position)).size).toBe(1)
  expect(rig.stored).toHaveLength(2)
  expect(Object.fromEntries(rig.dedup.info())).toEqual({ dedupEntries: '2', dedupHits: '4' })
})

test('what could not be stored is not remembered', async () => {
  const rig = new Rig()
  rig.set('T', 1000)
  rig.isFull = true
  const failed = await Promise.allSettled([rig.send('T', 'k'), rig.send('T', 'k')])
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  rig.isFull = false
  await rig.send('T', 'k')
  expect(rig.stored).toHaveLength(1)
})

test('a message that is still on its way when its topic is changed is remembered all the same', async () => {
  const rig = new Rig()
  rig.set('T', 1000)
  await rig.send('T', 'before')
  const { promise, resolve } = Promise.withResolvers<void>()
  rig.gate = promise
  const slow = rig.send('T', 'k')
  await new Promise((ready) => setImmediate(ready)) // it waits at the gate
  rig.set('T', 2000)
  const recall = Promise.withResolvers<void>()
  rig.recall = recall.promise
  const again = rig.send('T', 'k')
  resolve()
  await slow
  recall.resolve()
  expect((await again).position).toBe((await slow).position)
  expect(rig.stored).toHaveLength(2)
})

test('with too many the oldest of the largest topic are forgotten, and the log says so', async () => {
  const rig = new Rig(10)
  rig.set('small', 1000)
  rig.set('large', 1000)
  await rig.send('small', 'k')
  for (let i = 0; i < 20; i++) await rig.send('large', `k${i}`)
  expect(Object.fromEntries(rig.dedup.info())).toMatchObject({ dedupEntries: '10' })
  const count = rig.stored.length
  await rig.send('small', 'k')
  await rig.send('large', 'k19')
  expect(rig.stored).toHaveLength(count)
  await rig.send('large', 'k0')
  expect(rig.stored).toHaveLength(count + 1)
  expect(rig.log.lines[0]).toContain('warn too many messages for dedup.window.ms')
})

test('a key is remembered whole, however long it is', async () => {
  const rig = new Rig()
  rig.set('T', 1000)
  const long = 'k'.repeat(1000)
  await rig.send('T', `${long}1`)
  await rig.send('T', `${long}2`)
  await rig.send('T', `${long}1`)
  rig.restart()
  await rig.send('T', `${long}2`)
  expect(rig.stored).toHaveLength(2)
})

test('a topic that is gone takes nothing, and one of its name that is new knows nothing', async () => {
  const rig = new Rig()
  rig.set('T', 1000)
  await rig.send('T', 'k')
  rig.topics.delete('T')
  await expect(rig.send('T', 'k')).rejects.toMatchObject({ codeName: 'TOPIC_NOT_EXIST' })
  rig.stored.length = 0 // its queues went with it
  rig.set('T', 1000)
  await rig.send('T', 'k')
  expect(rig.stored).toHaveLength(1)
})
