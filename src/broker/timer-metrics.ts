import type { Clock } from '../base/clock.ts'
import type { DataVersion } from '../protocol/bodies/data-version.ts'
import type { Log } from '../log/log.ts'
import type { ConfigFile } from './config-json.ts'
import { firstVersion, nextVersion, readVersion } from './data-version.ts'

interface Metric {
  count: number
  timeStamp: number
}

export interface TimerMetricsParts {
  file: Pick<ConfigFile, 'load' | 'save'>
  clock: Clock
  log: Log
  /** Only topics that are there are counted: others are what clients made up. */
  hasTopic: (topic: string) => boolean
}

/** How many timers each topic has: `config/timermetrics` (Apache 5.3.3, TimerMetrics). */
export class TimerMetrics {
  readonly #parts: TimerMetricsParts
  readonly #counts = new Map<string, Metric>()
  #version: DataVersion
  #isChanged = false

  constructor(parts: TimerMetricsParts) {
    this.#parts = parts
    this.#version = firstVersion(parts.clock.now())
  }

  /** Throws ConfigFileError. */
  async load(): Promise<void> {
    const json = await this.#parts.file.load()
    if (json === null) return
    this.#version = readVersion(json.get('dataVersion'))
    const table = json.get('timingCount')
    if (!(table instanceof Map)) return
    for (const [topic, metric] of table) {
      if (!(metric instanceof Map)) continue
      const [count, timeStamp] = [metric.get('count'), metric.get('timeStamp')]
      if (typeof topic !== 'string' || typeof count !== 'number') continue
      this.#counts.set(topic, {
        count,
        timeStamp: typeof timeStamp === 'number' ? timeStamp : 0,
      })
    }
  }

  count(topic: string): number {
    return this.#counts.get(topic)?.count ?? 0
  }

  add(topic: string, by: number): void {
    if (!this.#parts.hasTopic(topic)) {
      this.#counts.delete(topic)
      return
    }
    const now = this.#parts.clock.now()
    const metric = this.#counts.get(topic)
    if (metric === undefined) this.#counts.set(topic, { count: by, timeStamp: now })
    else {
      metric.count += by
      metric.timeStamp = now
    }
    this.#version = nextVersion(this.#version, now)
    this.#isChanged = true
  }

  /** The file's content, which is also the answer to GET_TIMER_METRICS. */
  toText(): string {
    for (const topic of this.#counts.keys()) {
      if (!this.#parts.hasTopic(topic)) this.#counts.delete(topic)
    }
    const timingCount = Object.fromEntries(this.#counts)
    return JSON.stringify({ dataVersion: this.#version, timingCount })
  }

  /** They are for people to look at: a failure is logged, and the next save tries again. */
  async save(): Promise<void> {
    if (!this.#isChanged) return
    this.#isChanged = false
    try {
      await this.#parts.file.save(this.toText())
    } catch (error) {
      this.#isChanged = true
      this.#parts.log.error({ error: String(error) }, 'timer metrics cannot be written')
    }
  }
}
