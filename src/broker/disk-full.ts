import type { BrokerConfig } from '../config/broker.ts'
import type { LogShared } from '../store/log-memory.ts'

/** What of the configuration a refused send tells. */
export type DiskSettings = Pick<
  BrokerConfig,
  'storePathCommitLog' | 'storePathRootDir' | 'diskSpaceWarningLevelRatio'
>

/** Which disk is too full for sends, how full, and which key decides that. */
export function fullDisk(shared: LogShared, config: DiskSettings): string {
  const { log, queues } = shared.diskPercent()
  const path = log >= queues ? config.storePathCommitLog : config.storePathRootDir
  const ratio = config.diskSpaceWarningLevelRatio
  return `the disk of ${path} is ${Math.max(log, queues)} % full, more than diskSpaceWarningLevelRatio=${ratio} allows`
}

/** As Apache 5.3.3 shows it in a refused send: `[CL: 0.91 CQ: 0.91 INDEX: 0.91]`. */
export function diskShares(shared: LogShared): string {
  const { log, queues } = shared.diskPercent()
  const [cl, cq] = [log, queues].map((percent) => (percent / 100).toFixed(2))
  return `[CL: ${cl} CQ: ${cq} INDEX: ${cq}]`
}
