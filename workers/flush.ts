// Owns `flushed`. The only thread that calls fdatasync on the commit log, and that makes its files.
import { parentPort } from 'node:worker_threads'
import { systemClock } from '../src/base/clock.ts'
import { systemDisk } from '../src/base/disk.ts'
import type { WorkerBoot } from '../src/broker/workers.ts'
import { run } from '../src/ring/agent.ts'
import { failThread } from '../src/ring/thread-failure.ts'
import { FlushAgent } from '../src/store/flush-agent.ts'
import { LogFiles } from '../src/store/log-files.ts'
import { LogShared } from '../src/store/log-memory.ts'
import { LogWindow } from '../src/store/log-window.ts'
import { LogWriter } from '../src/store/log-writer.ts'
import { storePlaces } from '../src/store/store-places.ts'

function start({ memory, thread, config }: WorkerBoot): void {
  const shared = new LogShared(memory, thread)
  try {
    const { root, logDirectory, logFileSize } = storePlaces(config)
    const files = new LogFiles(systemDisk, { directory: logDirectory, fileSize: logFileSize })
    const writer = new LogWriter(shared, new LogWindow(shared), files, systemDisk)
    const agent = new FlushAgent(
      shared,
      { files, writer, disk: systemDisk, clock: systemClock },
      {
        root,
        isSyncFlush: config.flushDiskType === 'SYNC_FLUSH',
        intervalMs: config.flushIntervalCommitLog,
      },
    )
    run(agent, shared.signal, () => shared.isStopped())
  } catch (error) {
    failThread(error, { poison: shared.poison, thread, rouseAll: () => shared.rouseAll() })
  }
}

parentPort!.once('message', start)
