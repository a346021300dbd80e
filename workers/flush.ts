// Owns `flushed`. The only thread that calls fdatasync on the commit log, and that makes its files.
import { parentPort } from 'node:worker_threads'
import { monotonicClock, systemClock } from '../src/base/clock.ts'
import { systemDisk } from '../src/base/disk.ts'
import { rowsChangesOf } from '../src/broker/rows-changes.ts'
import type { WorkerBoot } from '../src/broker/workers.ts'
import { run } from '../src/ring/agent.ts'
import { failThread } from '../src/ring/thread-failure.ts'
import { FlushAgent } from '../src/store/flush-agent.ts'
import { LogFiles } from '../src/store/log-files.ts'
import { LogShared, Thread } from '../src/store/log-memory.ts'
import { LogWindow } from '../src/store/log-window.ts'
import { LogWriter } from '../src/store/log-writer.ts'
import { Retention } from '../src/store/retention.ts'
import { storePlaces } from '../src/store/store-places.ts'

/** Threads that open files of the log or of queues, but for this one. */
function closersOf(threads: number): number[] {
  const network = Array.from({ length: threads - Thread.NETWORK }, (_, nth) => Thread.NETWORK + nth)
  return [Thread.MAIN, Thread.DISPATCH, ...network]
}

function start({ memory, thread, config }: WorkerBoot): void {
  const shared = new LogShared(memory, thread)
  try {
    const { root, logDirectory, logFileSize, queues, indexDirectory } = storePlaces(config)
    const files = new LogFiles(systemDisk, { directory: logDirectory, fileSize: logFileSize })
    const writer = new LogWriter(shared, new LogWindow(shared), files, systemDisk)
    const common = { shared, files, disk: systemDisk, clock: systemClock }
    const retention = new Retention(
      {
        ...common,
        root,
        queues,
        indexDirectory,
        elapsed: monotonicClock,
        closers: closersOf(memory.threads),
        takeChanges: () => rowsChangesOf(parentPort!, config),
        tell: (news) => parentPort!.postMessage(news),
      },
      config,
    )
    const agent = new FlushAgent(
      shared,
      { ...common, writer, retention },
      {
        root,
        isSyncFlush: config.flushDiskType === 'SYNC_FLUSH',
        intervalMs: config.flushIntervalCommitLog,
        leastPages: config.flushCommitLogLeastPages,
        thoroughMs: config.flushCommitLogThoroughInterval,
      },
    )
    run(agent, shared.signal, () => shared.isStopped())
  } catch (error) {
    failThread(error, { poison: shared.poison, thread, rouseAll: () => shared.rouseAll() })
  }
}

parentPort!.once('message', start)
