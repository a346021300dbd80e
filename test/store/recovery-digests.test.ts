/**
 * Threads that read ahead of a recovery make it quicker and change nothing: whatever stands in the log, in
 * whatever order they come to an end, and if some of them fail, the same bytes are written to the same files.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Checkpoint } from '../../src/store/checkpoint.ts'
import { DigestsAhead } from '../../src/store/digests-ahead.ts'
import { StopKind, type LastStop } from '../../src/store/last-stop.ts'
import {
  recover,
  recoverInSteps,
  type Recovered,
  type RecoveryOptions,
} from '../../src/store/recovery.ts'
import { digestMemory, DigestRows, READ_ALONE, type Digest } from '../../src/store/scan-digest.ts'
import { digestSpan, type FoundDigest, type SpanAsked } from '../../src/store/span-digest.ts'
import { Random } from '../sim/random.ts'
import { LogBuilder } from '../support/log-builder.ts'
import { messageBytes, type RecordParams } from '../support/records.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'

const FILE = 2048
const ROOT = '/store'
const DIRECTORY = `${ROOT}/commitlog`
/** Where the log ended when a topic was deleted. */
const DELETED_BELOW = 1000
/** Where the body of a record begins that has IPv4 hosts. */
const BODY_AT = 88
const TOPICS = ['Topic', 'Tōpic', 'Deleted', 'Batch', 'L'.repeat(140), 'a/b', 'SCHEDULE_TOPIC_XXXX']
const { CLEAN, KILLED, UNKNOWN } = StopKind

interface Message {
  topic: string
  queueId: number
  /** Half messages and roll-backs of the 3.x kind and batches enter no queue. */
  sysFlag: number
  properties: string
  size: number
  /** What its body is. */
  holds: 'text' | 'record' | 'magic'
}

/** It stands in two light queues, too. */
function lightProperties(offsets: readonly number[]): string {
  const names = 'INNER_MULTI_DISPATCH\u0001%LMQ%a,%LMQ%b\u0002'
  return `${names}INNER_MULTI_QUEUE_OFFSET\u0001${offsets.join(',')}\u0002TAGS\u0001c`
}

const message: fc.Arbitrary<Message> = fc.record({
  topic: fc.constantFrom(...TOPICS),
  queueId: fc.constantFrom(0, 0, 1, 70_000),
  sysFlag: fc.constantFrom(0, 0, 0, 4, 8, 12, 0x80),
  properties: fc.oneof(
    fc.constantFrom('', 'TAGS\u0001a', 'TAGS\u0001ü', 'DELAY\u00013\u0002TAGS\u0001b'),
    fc.tuple(fc.nat(9), fc.nat(9)).map(lightProperties),
  ),
  size: fc.oneof(fc.nat(60), fc.nat(60), fc.nat(1500)),
  holds: fc.constantFrom<Message['holds'][]>('text', 'text', 'text', 'record', 'magic'),
})
const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.constantFrom('flip', 'zeros', 'magic', 'not UTF-8'),
})

const situation = fc.record({
  messages: fc.array(message, { minLength: 1, maxLength: 60 }),
  damages: fc.array(damage, { maxLength: 3 }),
  /** So many of the messages the queues know already. */
  known: fc.nat(60),
  lost: fc.constantFrom(null, 'Topic', 'all'),
  stop: fc.constantFrom(CLEAN, KILLED, UNKNOWN),
  flushed: fc.double({ min: 0, max: 1, noNaN: true }),
  checkCrc: fc.boolean(),
  isNextMade: fc.boolean(),
})
type Situation = typeof situation extends fc.Arbitrary<infer T> ? T : never

const reading = fc.record({
  spanLength: fc.integer({ min: 50, max: 3000 }),
  spansMax: fc.integer({ min: 1, max: 5 }),
  failing: fc.option(fc.nat(12)),
})

function bodyOf({ size, holds }: Message, log: LogBuilder): Uint8Array | string {
  if (holds === 'magic') return Buffer.alloc(size, Buffer.from('0000005bdaa320a7', 'hex'))
  if (holds === 'text') return 'x'.repeat(size)
  // A good record, at its own place, but none of the log.
  const place = { position: log.end + BODY_AT, queueOffset: 0, storeTimestamp: 1 }
  return messageBytes({ topic: 'Hidden', body: 'y'.repeat(size % 100) }, place)
}

function paramsOf(one: Message, log: LogBuilder): RecordParams {
  const { topic, queueId, sysFlag, properties } = one
  return { topic, queueId, sysFlag, properties, body: bodyOf(one, log) }
}

/** A topic that was deleted and made again begins at offset 0 once more. */
function addAll(log: LogBuilder, messages: readonly Message[]): void {
  for (const one of messages) {
    const before = log.end
    log.add(paramsOf(one, log))
    if (before >= DELETED_BELOW || log.end < DELETED_BELOW) continue
    for (const queueId of [0, 1]) log.setNext('Deleted', queueId, 0)
  }
}

function spoil(log: LogBuilder, { at, kind }: { at: number; kind: string }): void {
  const record = log.records[Math.floor(at * (log.records.length - 1))]!
  const { position, bytes } = record
  const end = position - (position % FILE) + FILE
  if (kind === 'flip') {
    const nth = Math.floor(at * 7919) % bytes.length
    log.overwrite(position + nth, Buffer.from([bytes[nth]! ^ 0x10]))
  } else if (kind === 'zeros') log.overwrite(position, Buffer.alloc(Math.min(300, end - position)))
  else if (kind === 'magic') log.overwrite(position + 4, Buffer.from('daa320a9', 'hex'))
  else {
    const topicAt = bytes.indexOf(record.topic, BODY_AT)
    log.overwrite(position + topicAt, Buffer.from([0xff]))
  }
}

/** A store as it was left, and what a start is told of it. The same for the same situation. */
function makeStore(of: Situation): { disk: SimulatedDisk; options: RecoveryOptions } {
  const disk = new SimulatedDisk(new Random(1))
  const log = new LogBuilder({ fileSize: FILE })
  disk.makeDirectory(`${ROOT}/batchconsumequeue/Batch`)
  const [known, late] = [of.messages.slice(0, of.known), of.messages.slice(of.known)]
  addAll(log, known)
  const options: RecoveryOptions = {
    root: ROOT,
    logDirectory: DIRECTORY,
    logFileSize: FILE,
    queues: { root: `${ROOT}/consumequeue`, fileSize: 200 },
    lastStop: { kind: UNKNOWN, clean: null },
    checkCrc: true,
    times: { physic: 0, logics: 0, index: 0, masterFlushed: 0, confirmed: 0 },
    deletedBelow: new Map([['Deleted', DELETED_BELOW]]),
    hasLightQueues: true,
  }
  log.write(DIRECTORY, { disk })
  const { queues, end, timestamp } = recover(disk, options)
  addAll(log, late)
  for (const each of of.damages) spoil(log, each)
  log.write(DIRECTORY, { disk, isNextMade: of.isNextMade })
  if (of.lost === 'Topic') disk.remove(`${ROOT}/consumequeue/Topic`)
  if (of.lost === 'all') disk.remove(`${ROOT}/consumequeue`)
  const flushed = log.records[Math.floor(of.flushed * (log.records.length - 1))]!.storeTimestamp
  const times = { ...options.times, physic: flushed, logics: flushed }
  const checkpoint = new Checkpoint(disk, ROOT)
  checkpoint.write(times)
  checkpoint.close()
  disk.remove(`${ROOT}/abort`)
  const used = queues.filter(({ next }) => next > 0)
  const entries = used.reduce((sum, { next }) => sum + next, 0)
  const clean = late.length === 0 ? { end, timestamp, queues: used.length, entries } : null
  const lastStop: LastStop = { kind: of.stop, clean: of.stop === CLEAN ? clean : null }
  return { disk, options: { ...options, lastStop, times, checkCrc: of.checkCrc } }
}

/** Every file with its bytes, and how many changes were made to them. */
function contentOf(disk: SimulatedDisk, folder = ROOT): [string, string][] {
  return disk
    .list(folder)
    .flatMap(({ name, isDirectory }): [string, string][] =>
      isDirectory
        ? [[`${folder}/${name}`, ''], ...contentOf(disk, `${folder}/${name}`)]
        : [[`${folder}/${name}`, disk.readFile(`${folder}/${name}`).toString('hex')]],
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** What a recovery tells, without the objects that only it has. */
function told({ queues, ...rest }: Recovered): object {
  return {
    ...rest,
    queues: queues.map(({ queue, ...state }) => ({ ...state, at: queue.directory })),
  }
}

interface Reading {
  spanLength: number
  spansMax: number
  failing: number | null
}

/** Digests are made when the scheduler says so; the one with that number fails. */
async function recoverAhead(
  disk: SimulatedDisk,
  options: RecoveryOptions,
  { spanLength, spansMax, failing }: Reading,
  turn: () => Promise<void> = () => Promise.resolve(),
): Promise<{ recovered: Recovered; taken: number; failures: SpanAsked[] }> {
  const { logDirectory: directory, logFileSize: fileSize, checkCrc } = options
  let [asked, taken] = [0, 0]
  const failures: SpanAsked[] = []
  const read = async (span: SpanAsked) => {
    const isFailing = asked++ === failing
    await turn()
    if (isFailing) throw Object.assign(new Error('EIO: i/o error, read'), { errno: -5 })
    return digestSpan(disk, span)
  }
  const of = { directory, fileSize, checkCrc, hasLightQueues: true }
  const aheadOptions = { ...of, spanLength, spansMax }
  const open = () => new DigestsAhead(aheadOptions, read, (_, span) => failures.push(span))
  let ahead = open()
  const steps = recoverInSteps(disk, options)
  let step = steps.next(READ_ALONE)
  while (step.done !== true) {
    if (step.value.position === step.value.first) ahead = open()
    const answer = await ahead.answer(step.value)
    if (answer.digest !== null) expect(answer.digest.begin).toBe(step.value.position)
    taken += answer.digest?.count ?? 0
    step = steps.next(answer)
  }
  await ahead.close()
  return { recovered: step.value, taken, failures }
}

describe('a recovery with digests', () => {
  test('writes and tells what one without them does', async () => {
    let taken = 0
    await fc.assert(
      fc.asyncProperty(situation, reading, fc.scheduler(), async (of, how, scheduler) => {
        const [alone, ahead] = [makeStore(of), makeStore(of)]
        const expected = recover(alone.disk, alone.options)
        const turn = () => scheduler.schedule(Promise.resolve())
        const found = await scheduler.waitFor(recoverAhead(ahead.disk, ahead.options, how, turn))
        taken += found.taken
        expect(told(found.recovered)).toEqual(told(expected))
        expect(contentOf(ahead.disk)).toEqual(contentOf(alone.disk))
        expect(ahead.disk.changes).toBe(alone.disk.changes)
        expect(ahead.disk.openCount).toBe(alone.disk.openCount)
      }),
      { numRuns: 400 },
    )
    expect(taken).toBeGreaterThan(300)
  })

  const whole: Situation = {
    messages: Array.from({ length: 60 }, (_, nth): Message => {
      const common = { topic: 'Topic', sysFlag: 0, properties: '', holds: 'text' } as const
      return { ...common, queueId: nth % 2, size: nth }
    }),
    damages: [],
    known: 0,
    lost: 'all',
    stop: UNKNOWN,
    flushed: 0,
    checkCrc: true,
    isNextMade: false,
  }
  const three = { spanLength: 500, spansMax: 3, failing: null }

  test('reads no record of a whole log again', async () => {
    const { disk, options } = makeStore(whole)
    const { taken } = await recoverAhead(disk, options, three)
    expect(taken).toBe(60)
  })

  test('goes on alone when a span cannot be read, and tells which', async () => {
    const { disk, options } = makeStore(whole)
    const { recovered, taken, failures } = await recoverAhead(disk, options, {
      ...three,
      failing: 5,
    })
    expect(failures).toMatchObject([{ directory: DIRECTORY, from: FILE, to: FILE + 500 }])
    expect(taken).toBeGreaterThan(0)
    expect(recovered.dispatched).toBe(60)
  })

  test('takes none of a record that stands in a body, at its own place', async () => {
    const hiding = { topic: 'Topic', queueId: 0, sysFlag: 0, properties: '', size: 50 }
    const messages = whole.messages.map((): Message => ({ ...hiding, holds: 'record' }))
    const { disk, options } = makeStore({ ...whole, messages })
    const { recovered } = await recoverAhead(disk, options, three)
    expect(recovered.queues.map(({ topic, next }) => [topic, next])).toEqual([['Topic', 60]])
  })

  test('takes no digest that begins elsewhere', () => {
    const { disk, options } = makeStore(whole)
    const rows = new DigestRows(digestMemory(FILE))
    rows.lengths.fill(100)
    const queues = [{ topic: 'Elsewhere', queueId: 0 }]
    const place = { begin: 100, end: 200, count: 1, timestamp: 1 }
    const digest: Digest = { ...place, queues, rows, copies: [] }
    const steps = recoverInSteps(disk, options)
    let step = steps.next(READ_ALONE)
    while (step.done !== true) step = steps.next({ digest, until: step.value.position + 150 })
    expect(step.value).toMatchObject({ dispatched: 60, damaged: 0, isCut: false })
    expect(step.value.queues.map(({ topic }) => topic)).toEqual(['Topic', 'Topic'])
  })

  test.each([20, 40])(
    'knows from them whether damage lies behind what was flushed (%d)',
    async (nth) => {
      const damages = [{ at: 30 / 59, kind: 'magic' as const }]
      const of: Situation = { ...whole, damages, flushed: nth / 59 }
      const { disk, options } = makeStore(of)
      const { recovered } = await recoverAhead(disk, options, { ...three, spanLength: FILE })
      expect(recovered.isCut).toBe(nth < 30)
      expect(recovered.damaged > 0).toBe(nth > 30)
    },
  )

  test('gives nothing back to a topic that was deleted', async () => {
    const messages = whole.messages.map((one, nth) =>
      nth % 3 === 0 ? { ...one, topic: 'Deleted' } : one,
    )
    // Clean, but a queue's folder is gone: all queues are made anew.
    const of: Situation = { ...whole, messages, known: 59, lost: 'Topic', stop: CLEAN }
    const [alone, ahead] = [makeStore(of), makeStore(of)]
    const expected = recover(alone.disk, alone.options)
    const { recovered, taken } = await recoverAhead(ahead.disk, ahead.options, three)
    expect(taken).toBeGreaterThan(60) // two passes
    expect(recovered.dispatched).toBeLessThan(60)
    expect(told(recovered)).toEqual(told(expected))
    expect(contentOf(ahead.disk)).toEqual(contentOf(alone.disk))
  })

  test('holds no more spans than it was allowed to', async () => {
    const { disk, options } = makeStore(whole)
    let [held, most] = [0, 0]
    const aheadOptions = { directory: DIRECTORY, fileSize: FILE, checkCrc: true, spanLength: 100 }
    const read = async (span: SpanAsked) => {
      most = Math.max(most, ++held)
      await Promise.resolve()
      held--
      return digestSpan(disk, span)
    }
    const ahead = new DigestsAhead({ ...aheadOptions, spansMax: 3 }, read, () =>
      expect.unreachable(),
    )
    const steps = recoverInSteps(disk, options)
    let step = steps.next(READ_ALONE)
    while (step.done !== true) step = steps.next(await ahead.answer(step.value))
    expect(step.value.dispatched).toBe(60)
    expect(most).toBe(3)
  })
})

test('memory is not given to another thread while one may still write to it', async () => {
  const done = new Map<number, (found: FoundDigest | null) => void>()
  const memories = new Map<number, SharedArrayBuffer>()
  const read = ({ from, memory }: SpanAsked) => {
    memories.set(from, memory)
    return new Promise<FoundDigest | null>((resolve) => done.set(from, resolve))
  }
  const options = { directory: DIRECTORY, fileSize: FILE, checkCrc: true, spanLength: 100 }
  const ahead = new DigestsAhead({ ...options, spansMax: 2 }, read, () => expect.unreachable())
  const first = ahead.answer({ first: 0, position: 0, end: FILE })
  expect([...memories.keys()]).toEqual([0, 100])
  done.get(0)!({ begin: 0, end: 250, count: 1, timestamp: 1, queues: [], copies: [] })
  expect((await first).digest).toMatchObject({ begin: 0, end: 250 })
  // A long message: the pass is already behind the second span, whose thread is not.
  const alone = await ahead.answer({ first: 0, position: 250, end: FILE })
  expect(alone).toEqual({ digest: null, until: 300 })
  const late = ahead.answer({ first: 0, position: 300, end: FILE })
  expect([...memories.keys()]).toEqual([0, 100, 300])
  expect(memories.get(300)).toBe(memories.get(0))
  done.get(100)!(null)
  done.get(300)!(null)
  expect(await late).toEqual({ digest: null, until: 400 })
  void ahead.answer({ first: 0, position: 400, end: FILE })
  expect([...memories.keys()]).toEqual([0, 100, 300, 400])
  expect(memories.get(400)).toBe(memories.get(100))
})

describe('a digest', () => {
  test('of a span whose bytes only look like records is none, and soon', () => {
    const disk = new SimulatedDisk(new Random(1))
    const [fileSize, at] = [1024 * 1024, 4096]
    // Every 40 bytes a head with its own position: a client may know where its body will lie.
    const bytes = Buffer.alloc(fileSize)
    for (let head = at; head + 40 < fileSize; head += 40) {
      bytes.writeInt32BE(fileSize - head, head)
      bytes.writeInt32BE(0xdaa320a7 | 0, head + 4)
      bytes.writeBigInt64BE(BigInt(head), head + 28)
    }
    disk.makeDirectory(DIRECTORY)
    disk.writeFile(`${DIRECTORY}/00000000000000000000`, bytes)
    let read = 0
    const counting = Object.assign(Object.create(disk) as SimulatedDisk, {
      open: (path: string) => disk.open(path),
      close: (descriptor: number) => disk.close(descriptor),
      pread: (descriptor: number, span: Parameters<SimulatedDisk['pread']>[1]) => {
        read += span.length
        return disk.pread(descriptor, span)
      },
    })
    const memory = new SharedArrayBuffer(1024 * 1024)
    const asked = { directory: DIRECTORY, fileSize, checkCrc: true, from: at, to: fileSize, memory }
    expect(digestSpan(counting, asked)).toBe(null)
    expect(read).toBeLessThan(64 * fileSize)
  })
})
