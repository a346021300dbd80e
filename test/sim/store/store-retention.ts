import { LogShared } from '../../../src/store/log-memory.ts'
import type { RetentionOptions } from '../../../src/store/retention.ts'
import type { TopicRows } from '../../../src/store/topic-rows.ts'

/** Only maxStoreBytes makes log files go, and every look takes one. */
export const RETENTION: RetentionOptions = {
  fileReservedTime: 72,
  deleteWhen: '04',
  diskMaxUsedSpaceRatio: 75,
  diskSpaceCleanForciblyRatio: 85,
  diskSpaceWarningLevelRatio: 90,
  cleanFileForciblyEnable: false,
  maxStoreBytes: 0,
  cleanResourceInterval: 1,
  deleteFileBatchMax: 2,
  deleteCommitLogFilesInterval: 1,
  deleteConsumeQueueFilesInterval: 1,
  destroyMapedFileIntervalForcibly: 1,
  redeleteHangedFileInterval: 10,
}

/** The same memory for what is not stepped: it cannot wake simulated threads. */
export class SilentShared extends LogShared {
  override signalOf(thread: number): ReturnType<LogShared['signalOf']> {
    const signal = super.signalOf(thread)
    signal.wake = signal.rouse = () => undefined
    return signal
  }
}

export function topicsOf(queues: readonly { topic: string; queueId: number }[]): TopicRows[] {
  const topics = new Set(queues.map(({ topic }) => topic))
  return [...topics].map((topic) => ({
    topic,
    rows: [...queues.keys()].filter((row) => queues[row]!.topic === topic),
  }))
}
