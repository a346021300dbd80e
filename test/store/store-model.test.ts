/**
 * A whole store against a model of arrays, step by step from a seed, with restarts of every kind.
 *
 * What must hold:
 * - a queue reads as the model's, offsets dense, up to what is visible; never more
 * - kill -9: everything written is there afterwards, and what was seen means the same
 * - power failure: everything flushed is there; with SYNC_FLUSH what was seen means the same
 * - a deleted topic does not come back, one made again begins at 0
 * - a full disk costs nothing that was promised
 *
 * A failure names its seed: put it into SEEDS alone to see it again.
 */
import { describe, expect, test } from 'vitest'
import { encodeBatch } from '../../src/protocol/batch-body.ts'
import { AppendStatus } from '../../src/store/log-appender.ts'
import { Fault } from '../../src/store/log-memory.ts'
import { BatchRecord } from '../../src/store/message-record.ts'
import { Random } from '../sim/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { StoreModel } from '../support/store-model.ts'
import { StoreRig } from '../support/store-rig.ts'

const SEEDS = Array.from({ length: 40 }, (_, nth) => nth + 1)
const STEPS = 400
const TOPICS = ['Red', 'Green', 'Blue']
const QUEUES = 2

class Run {
  readonly random: Random
  readonly disk: SimulatedDisk
  readonly model = new StoreModel()
  readonly isSyncFlush: boolean
  readonly #sizes: { logFileSize: number; queueFileSize: number; windowSize: number }
  rig: StoreRig
  #boot = 1
  #time = 1_700_000_000_000

  constructor(seed: number, isSyncFlush: boolean) {
    this.random = new Random(seed)
    this.disk = new SimulatedDisk(this.random)
    this.isSyncFlush = isSyncFlush
    this.#sizes = {
      logFileSize: this.random.pick([3000, 4096, 5003, 12_288]),
      queueFileSize: this.random.pick([100, 400, 2000]),
      windowSize: this.random.pick([4096, 8192]),
    }
    this.rig = this.#open()
    for (const topic of TOPICS) this.createTopic(topic)
  }

  step(): void {
    this.#passTime(this.random.pick([0, 0, 1, 40, 5000, 70_000]))
    const dice = this.random.below(100)
    if (dice < 50) this.append()
    else if (dice < 70) this.rig.write()
    else if (dice < 78) this.rig.flush()
    else if (dice < 90) this.rig.dispatchAgent.turn()
    else if (dice < 93) this.toggleSpace()
    else if (dice < 95) this.recreate()
    else if (dice < 97) this.restart('stop')
    else this.restart(this.random.pick(['kill', 'losePower']))
    this.checkVisible()
  }

  /** In a minute the kernel writes back whatever is dirty. */
  #passTime(ms: number): void {
    if (ms > 60_000) this.disk.syncAll()
    this.#time += ms
    this.rig.clock.time = this.#time
  }

  append(): void {
    const { shared } = this.rig
    const topics = this.model.topics()
    if (shared.fault() !== Fault.NONE || topics.length === 0) return
    this.#makeFiles()
    if (shared.fault() !== Fault.NONE) return
    const isBatch = this.random.oneIn(6)
    const body = 'b'.repeat(this.random.below(isBatch ? 30 : 400))
    const item = { flag: 7, body: Buffer.from(body), properties: 'KEYS\u0001k' }
    const params = {
      topic: this.random.pick(topics),
      queueId: this.random.below(QUEUES),
      body: isBatch
        ? encodeBatch(Array.from({ length: 1 + this.random.below(4) }, () => item))
        : body,
      properties: this.random.pick(['', 'TAGS\u0001A\u0002', 'TAGS\u0001BB\u0002KEYS\u0001k']),
      sysFlag: !isBatch && this.random.oneIn(15) ? 0x4 : 0,
    }
    let record = this.rig.append(params, { isBatch })
    if (this.rig.lastStatus === AppendStatus.NO_ROOM && this.rig.write()) {
      record = this.rig.append(params, { isBatch })
    }
    if (this.rig.lastStatus !== AppendStatus.OK) {
      expect(shared.fault()).not.toBe(Fault.NONE) // there is nothing else that could stop it
      return
    }
    this.#remember(`${params.topic}/${params.queueId}`, record)
  }

  #remember(queue: string, record: ReturnType<StoreRig['append']>): void {
    if (record.count === 0) return
    const lengths = record instanceof BatchRecord ? record.lengths : [record.length]
    let { position } = record
    for (const length of lengths) {
      const bytes = Buffer.alloc(length)
      this.rig.network.window.copyOut(position, length, bytes, 0)
      position += length
      this.model.append({ queue, bytes, end: position })
    }
  }

  /** Flush makes files ahead; an append would wait for it in vain, here. */
  #makeFiles(): void {
    const { created, appended } = this.rig.shared
    if (created.value() < appended.value() + 2 * this.#sizes.logFileSize) this.rig.flush()
  }

  toggleSpace(): void {
    const path = this.random.pick(['commitlog', 'consumequeue', 'checkpoint'])
    this.disk.refusal = this.disk.refusal === null ? { code: 'ENOSPC', path } : null
  }

  recreate(): void {
    this.disk.refusal = null
    const topic = this.random.pick(TOPICS)
    if (this.model.topics().includes(topic)) {
      this.rig.deleteTopic(topic)
      this.rig.dispatchAgent.turn()
      this.rig.removeFiles(topic)
      this.model.delete(topic)
    } else this.createTopic(topic)
  }

  createTopic(topic: string): void {
    this.rig.createTopic(topic, QUEUES)
    this.model.create(topic, QUEUES)
  }

  restart(how: 'stop' | 'kill' | 'losePower'): void {
    this.disk.refusal = null
    const { shared } = this.rig
    if (how === 'stop') {
      while (shared.fault() !== Fault.NONE) this.rig.flush()
      this.rig.stop()
      expect(shared.dispatched.value()).toBe(shared.appended.value())
      expect(this.disk.openCount).toBe(0)
    } else this.disk[how]()
    const promised = how === 'losePower' ? shared.flushed.value() : shared.written.value()
    const seen = shared.dispatched.value()
    if (how === 'losePower') this.#boot++
    this.rig = this.#open()
    for (const topic of this.model.topics()) this.rig.createTopic(topic, QUEUES)
    this.#checkRecovered(how, promised, seen)
  }

  #checkRecovered(how: 'stop' | 'kill' | 'losePower', promised: number, seen: number): void {
    const { end, queues, damaged } = this.rig.recovered
    expect(damaged).toBe(0)
    expect(end).toBeGreaterThanOrEqual(promised)
    if (how !== 'losePower' || this.isSyncFlush) expect(end).toBeGreaterThanOrEqual(seen)
    if (how === 'stop') expect(end).toBe(promised)
    for (const { topic, next } of queues) if (next > 0) this.#expectKnown(topic, end > promised)
    if (how === 'losePower' && end > promised) this.#adoptUnpromised(promised, end)
    else this.model.cut(end)
    this.checkVisible()
  }

  /** The last bytes of a record are under no checksum: beyond what was flushed a topic may be torn. */
  #expectKnown(topic: string, mayBeTorn: boolean): void {
    if (!mayBeTorn) expect(this.model.topics()).toContain(topic)
  }

  #adoptUnpromised(promised: number, end: number): void {
    for (const queue of this.model.queues()) {
      const found = this.#read(queue)
      const flushed = this.model.until(queue, promised)
      expect(found.length).toBeGreaterThanOrEqual(flushed.length)
      expectSame(found.slice(0, flushed.length), flushed)
      this.model.cut(end)
      this.model.adopt(queue, found, end)
    }
  }

  /** Each queue reads as far as was dispatched, and not one message further. */
  checkVisible(): void {
    const visible = this.rig.shared.dispatched.value()
    for (const queue of this.model.queues()) {
      expectSame(this.#read(queue), this.model.until(queue, visible))
    }
  }

  #read(queue: string): Buffer[] {
    const [topic, queueId] = queue.split('/')
    return this.rig.readAll(topic!, Number(queueId))
  }

  #open(): StoreRig {
    const { disk, isSyncFlush } = this
    const times = { boot: `boot ${this.#boot}`, flushIntervalMs: 50 }
    const rig = new StoreRig({ root: '/store', disk, isSyncFlush, ...this.#sizes, ...times })
    rig.clock.time = this.#time
    return rig
  }
}

function expectSame(found: readonly Buffer[], expected: readonly Buffer[]): void {
  expect(found.length).toBe(expected.length)
  for (const [nth, bytes] of found.entries()) {
    if (!bytes.equals(expected[nth]!)) expect([nth, bytes]).toEqual([nth, expected[nth]])
  }
}

describe.each([
  ['ASYNC_FLUSH', false],
  ['SYNC_FLUSH', true],
])('with %s a store is what its model says', (_, isSyncFlush) => {
  test.each(SEEDS)('whatever happens to it from seed %d', (seed) => {
    const run = new Run(seed, isSyncFlush)
    for (let step = 0; step < STEPS; step++) run.step()
    run.restart('stop')
    run.restart('stop')
  })
})
