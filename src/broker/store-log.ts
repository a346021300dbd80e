import { type Clock, monotonicClock } from '../base/clock.ts'
import type { BrokerConfig } from '../config/broker.ts'
import { fewProblems, type Report } from '../log/few-problems.ts'
import type { Log } from '../log/log.ts'
import { Fault, Shortage, type LogShared } from '../store/log-memory.ts'
import type { DeleteReason } from '../store/retention-rules.ts'
import type { StoreNews } from '../store/retention.ts'
import { fullDisk } from './disk-full.ts'

/** Says in the log what other threads find out about the disk. Main's own. */
export class StoreLog {
  readonly #shared: LogShared
  readonly #config: BrokerConfig
  readonly #log: Log
  /** For what may be tried, and fail, at any rate. */
  readonly #report: Report
  #refusal = 0

  constructor(shared: LogShared, config: BrokerConfig, log: Log, clock: Clock = monotonicClock) {
    this.#shared = shared
    this.#config = config
    this.#log = log
    this.#report = fewProblems(
      (problem, error) => log.error({ error }, problem),
      () => clock.now(),
    )
  }

  /** A thread has woken main, perhaps because sends are refused from now on, or taken again. */
  onWake(): void {
    const now = this.#shared.refusal()
    if (now === this.#refusal) return
    const added = now & ~this.#refusal
    this.#refusal = now
    if (now === 0) this.#log.info({}, 'the disk has space again: sends are taken')
    else if (added !== 0) this.#log.error({}, this.#problem(added))
  }

  onNews(news: StoreNews): void {
    if (news.kind === 'notDeleted') {
      const problem = 'old files of the store could not be deleted; it is tried again later'
      this.#report(problem, news.error)
      return
    }
    const { path, reason, percent } = news
    const text = `a log file was deleted: ${this.#why(reason)}`
    if (reason === 'age') this.#log.info({ path, percent }, text)
    else this.#log.warn({ path, percent }, text)
  }

  #problem(added: number): string {
    if ((added & Fault.FENCED) !== 0) {
      return 'a write or flush failed: sends are refused until a restart'
    }
    if ((added & Shortage.OVER_LEVEL) === 0) {
      return 'the disk is full or files cannot be opened: sends are refused'
    }
    return `${fullDisk(this.#shared, this.#config)}: sends are refused. Make space, or set that key higher`
  }

  #why(reason: DeleteReason): string {
    const { maxStoreBytes, fileReservedTime, diskSpaceCleanForciblyRatio } = this.#config
    if (reason === 'age') return `it is older than fileReservedTime=${fileReservedTime} hours`
    if (reason === 'maxStoreBytes') return `the log may take maxStoreBytes=${maxStoreBytes}`
    return `the disk is fuller than diskSpaceCleanForciblyRatio=${diskSpaceCleanForciblyRatio} percent`
  }
}
