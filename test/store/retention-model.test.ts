/**
 * A store that deletes against a model that forgets nothing, step by step from a seed: appends, turns
 * of flush and dispatch, deletions that are broken off anywhere, kills and power failures.
 *
 * What must hold:
 * - what a queue has from `min` on reads as the model says, at any moment
 * - when nothing is under way, and after each restart, `min` is the first message that the log still has
 * - a queue's next offset is never lost, also when all its messages are
 */
import { expect, test } from 'vitest'
import { Fault } from '../../src/store/log-memory.ts'
import { Random } from '../sim/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { StoreModel } from '../support/store-model.ts'
import { StoreRig } from '../support/store-rig.ts'

const SEEDS = Array.from({ length: 40 }, (_, nth) => nth + 1)
const STEPS = 250
const QUEUES = ['Rare/0', 'Often/0', 'Often/1']

class Run {
  readonly random: Random
  readonly disk: SimulatedDisk
  readonly model = new StoreModel()
  readonly #sizes: { logFileSize: number; queueFileSize: number; maxStoreBytes: number }
  rig: StoreRig
  #boot = 1
  #time = 1_700_000_000_000

  constructor(seed: number) {
    this.random = new Random(seed)
    this.disk = new SimulatedDisk(this.random)
    const logFileSize = this.random.pick([3000, 4096, 6000])
    this.#sizes = {
      logFileSize,
      queueFileSize: this.random.pick([100, 200, 600]),
      maxStoreBytes: logFileSize * this.random.pick([2, 3, 5]),
    }
    this.rig = this.#open()
    this.model.create('Rare', 1)
    this.model.create('Often', 2)
  }

  step(): void {
    const dice = this.random.below(100)
    if (dice < 55) this.append()
    else if (dice < 65) this.rig.flush()
    else if (dice < 72) this.rig.dispatchAgent.turn()
    else if (dice < 80) this.rig.closeDeletable()
    else if (dice < 90) this.#passTime(this.random.pick([1, 15, 100, 1000]))
    else if (dice < 95) this.settle()
    else if (dice < 97) this.#passTime(130_000)
    else this.restart(this.random.pick(['stop', 'kill', 'losePower']))
    this.#checkReadable()
  }

  append(): void {
    const { rig } = this
    const { shared } = rig
    for (let tries = 0; shared.created.value() - shared.appended.value() < 1000; tries++) {
      if (tries > 100) throw new Error('there is no next file')
      rig.write()
      rig.dispatch()
      rig.pass(20)
    }
    const queue = this.random.oneIn(30) ? 'Rare/0' : this.random.pick(QUEUES.slice(1))
    const [topic, queueId] = queue.split('/')
    const body = 'b'.repeat(this.random.below(400))
    const record = rig.append({ topic: topic!, queueId: Number(queueId), body })
    const bytes = Buffer.alloc(record.length)
    rig.network.window.copyOut(record.position, record.length, bytes, 0)
    this.model.append({ queue, bytes, end: record.position + record.length })
    rig.write()
  }

  /** Everything is flushed and dispatched, and no deletion is under way. */
  settle(): void {
    this.rig.settle()
    this.rig.pass(30_000)
    this.#checkMins()
    const { created, minPosition } = this.rig.shared
    expect(created.value() - minPosition.value()).toBeLessThanOrEqual(this.#sizes.maxStoreBytes)
  }

  restart(how: 'stop' | 'kill' | 'losePower'): void {
    this.rig.settle()
    expect(this.rig.shared.fault()).toBe(Fault.NONE)
    const end = this.rig.shared.appended.value()
    if (how === 'stop') {
      this.rig.stop()
      expect(this.disk.openCount).toBe(0)
    } else this.disk[how]()
    if (how === 'losePower') this.#boot++
    this.rig = this.#open()
    expect(this.rig.recovered).toMatchObject({ end, damaged: 0 })
    this.#checkMins()
  }

  #passTime(ms: number): void {
    if (ms > 120_000) this.disk.syncAll()
    this.#time += ms
    this.rig.clock.time = this.#time
    this.rig.pass(ms)
  }

  #checkReadable(): void {
    const { shared } = this.rig
    const visible = shared.dispatched.value()
    for (const { queue, row, found } of this.#found()) {
      const all = this.model.until(queue, visible)
      expect(shared.rows.max(row)).toBe(all.length)
      const wanted = all.slice(shared.rows.min(row))
      expect(found.length).toBe(wanted.length)
      for (const [nth, bytes] of found.entries()) expect(bytes.equals(wanted[nth]!)).toBe(true)
    }
  }

  #checkMins(): void {
    const { shared } = this.rig
    for (const { queue, row } of this.#found()) {
      const gone = this.model.until(queue, shared.minPosition.value()).length
      expect([queue, shared.rows.min(row)]).toEqual([queue, gone])
    }
  }

  #found(): { queue: string; row: number; found: Buffer[] }[] {
    return QUEUES.map((queue) => {
      const [topic, queueId] = queue.split('/')
      const row = this.rig.row(topic!, Number(queueId))
      return { queue, row, found: this.rig.readAll(topic!, Number(queueId)) }
    })
  }

  #open(): StoreRig {
    const { maxStoreBytes, ...sizes } = this.#sizes
    const retention = { maxStoreBytes }
    const boot = `boot ${this.#boot}`
    const rig = new StoreRig({ root: '/store', disk: this.disk, boot, retention, ...sizes })
    rig.clock.time = this.#time
    rig.createTopic('Rare', 1)
    rig.createTopic('Often', 2)
    return rig
  }
}

test.each(SEEDS)('whatever is deleted, the rest is readable, from seed %d', (seed) => {
  const run = new Run(seed)
  for (let step = 0; step < STEPS; step++) run.step()
  run.settle()
  run.restart('stop')
})
