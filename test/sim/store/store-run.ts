import type { Failure } from '../explore.ts'
import { Random } from '../random.ts'
import type { Scheduler } from '../scheduler.ts'
import { atOnce } from '../steps.ts'
import type { Stepped } from '../stepped-modules.ts'
import { traceOf } from '../trace.ts'
import { PowerFailure } from '../../support/simulated-disk.ts'
import { checkIndex, checkRecoveredIndex } from './store-index.ts'
import { StoreLife } from './store-life.ts'
import { isSettled, startThreads } from './store-threads.ts'
import { ROOT, StoreWorld } from './store-world.ts'

export const STORE = 'store'
const LIVES_MAX = 6
/** Steps after which a life ends by a crash; most threads are through after some thousand. */
const STEPS_MAX = [100, 300, 1200]
const CHANGES_MAX = 120
const STEPS_SHOWN = 60

export interface StoreRun {
  crashes: number
  steps: number
  failure: Failure | null
}

/** Several lives of a store on one disk, as a seed decides. */
export function runStore(stepped: Stepped, seed: number): StoreRun {
  const run = new Run(stepped, seed)
  const failure = run.run()
  return { crashes: run.crashes, steps: run.steps, failure }
}

class Run {
  steps = 0
  readonly #stepped: Stepped
  readonly #seed: number
  readonly #world: StoreWorld
  readonly #random: Random
  #scheduler: Scheduler | null = null
  #events: string[] = []

  constructor(stepped: Stepped, seed: number) {
    this.#stepped = stepped
    this.#seed = seed
    this.#random = new Random(seed)
    this.#world = new StoreWorld(stepped, this.#random, { hasIndex: seed % 3 === 0 })
    const { sizes, isSyncFlush, isEqual, hasIndex, disk } = this.#world
    this.#say(JSON.stringify({ ...sizes, isSyncFlush, isEqual, hasIndex, mayFlip: disk.mayFlip }))
  }

  get crashes(): number {
    return this.#world.crashes
  }

  run(): Failure | null {
    try {
      for (let left = 2 + this.#random.below(LIVES_MAX); left > 0; left--) this.#live()
      this.#say('the last start')
      const recovered = this.#world.open()
      if (this.#world.hasIndex) checkRecoveredIndex(this.#world, recovered)
      return null
    } catch (error) {
      return this.#failure(error as Error)
    }
  }

  #live(): void {
    const world = this.#world
    const random = this.#random
    world.passTime(random.pick([0, 0, 10, 5000, 70_000]))
    const recovered = world.open()
    this.#say(`recovered, the log ends at ${recovered.end}`)
    const crashAt = random.oneIn(8) ? Infinity : random.below(random.pick(STEPS_MAX))
    const { disk } = world
    if (random.oneIn(4)) disk.failAt = disk.changes + random.below(CHANGES_MAX)
    else if (random.oneIn(6)) {
      disk.failCallAt = disk.calls + random.below(20)
      this.#say('a write or sync will fail')
    }
    this.#runLife(() => new StoreLife(world, recovered, crashAt))
  }

  #runLife(start: () => StoreLife): void {
    const world = this.#world
    let life: StoreLife | null = null
    let isStopped = false
    try {
      life = start()
      this.#scheduler = life.scheduler
      startThreads(life)
      life.scheduler.run()
      if (!life.scheduler.hasCrashed) isStopped = this.#stop(life)
    } catch (error) {
      if (!isEnd(error)) throw error
    }
    if (life !== null) this.#leave(life)
    world.disk.failCallAt = Infinity
    if (isStopped && this.#random.oneIn(2)) return
    const kind = this.#random.pick(['kill', 'losePower'] as const)
    const { kept, synced } = world.ledger
    const promised = `${kept} is promised to survive a kill, ${synced} a power failure`
    this.#say(`${isStopped ? 'a clean stop, then ' : ''}${kind}; ${promised}`)
    world.crash(kind)
  }

  /** Whatever was true when it ended is promised. */
  #leave(life: StoreLife): void {
    life.checkPositions()
    this.#world.passTime(life.clock.now() - this.#world.timeMs)
    this.steps += life.scheduler.steps
  }

  /** As BrokerStore closes a store. */
  #stop(life: StoreLife): boolean {
    const { core, disk, boot } = this.#world
    const { shared } = life.parts(0)
    if (!isSettled(life)) return false
    const checkpoint = new core.Checkpoint(disk, ROOT)
    const physic = atOnce(shared.writtenTimestamp.value())
    const confirmed = atOnce(shared.flushed.value())
    const index = atOnce(shared.indexDurable.value())
    checkpoint.write({ ...this.#world.times, physic, confirmed, index })
    checkpoint.close()
    const maxima = this.#world.ledger.queues.map((_, row) => atOnce(shared.rows.max(row)))
    core.endRun(disk, ROOT, {
      end: atOnce(shared.appended.value()),
      timestamp: atOnce(shared.storeTimestamp.value()),
      queues: maxima.filter((max) => max > 0).length,
      entries: maxima.reduce((sum, max) => sum + max, 0),
      boot,
    })
    if (!this.#world.hasIndex || life.wasRefused) return true
    this.#world.ledger.release(atOnce(shared.minPosition.value()))
    checkIndex(this.#world)
    return true
  }

  #say(event: string): void {
    this.#events.push(`  ${event}`)
  }

  #failure(error: Error): Failure {
    const steps = this.steps + (this.#scheduler?.steps ?? 0)
    const last = this.#scheduler === null ? [] : this.#scheduler.trace().slice(-STEPS_SHOWN)
    const trace = [...traceOf(last, this.#stepped.places), ...this.#events]
    return { scenario: STORE, seed: this.#seed, steps, error, trace }
  }
}

/**
 * The process is gone, or ends because a file that is not the log's cannot be written where nothing can
 * wait for that: at the start, at the stop.
 */
function isEnd(error: unknown): boolean {
  if (error instanceof PowerFailure) return true
  const { code, path = '' } = error as NodeJS.ErrnoException
  return code === 'EIO' && !path.includes('/commitlog/')
}
