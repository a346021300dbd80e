// Owns `dispatched`, the consume queue files and the queues' `max`.
import { parentPort } from 'node:worker_threads'
import { systemClock } from '../src/base/clock.ts'
import { systemDisk } from '../src/base/disk.ts'
import type { WorkerBoot } from '../src/broker/workers.ts'
import { rowsChangesOf } from '../src/broker/rows-changes.ts'
import { delaysIn } from '../src/config/delay-levels.ts'
import { hasLightQueues } from '../src/config/store.ts'
import { run } from '../src/ring/agent.ts'
import { DirtyBits } from '../src/ring/dirty-bits.ts'
import { failThread } from '../src/ring/thread-failure.ts'
import { Closing, withClosing } from '../src/store/closing.ts'
import { DispatchAgent } from '../src/store/dispatch-agent.ts'
import { KeyIndex } from '../src/store/key-index.ts'
import { LogFiles } from '../src/store/log-files.ts'
import { LogShared } from '../src/store/log-memory.ts'
import { LogWindow } from '../src/store/log-window.ts'
import { storePlaces } from '../src/store/store-places.ts'
import { visibleOf } from '../src/store/visible.ts'

function start({ memory, thread, config, dirty }: WorkerBoot): void {
  const shared = new LogShared(memory, thread)
  try {
    const { root, logDirectory, logFileSize, queues, indexDirectory } = storePlaces(config)
    const files = new LogFiles(systemDisk, { directory: logDirectory, fileSize: logFileSize })
    const indexParts = {
      disk: systemDisk,
      clock: systemClock,
      files,
      format: { slots: config.maxHashSlotNum, items: config.maxIndexNum },
      root,
      directory: indexDirectory,
    }
    const agent = new DispatchAgent(shared, {
      window: new LogWindow(shared),
      files,
      disk: systemDisk,
      visible: visibleOf(shared, config.flushDiskType === 'SYNC_FLUSH'),
      queues,
      hasLightQueues: hasLightQueues(config),
      delaysMs: delaysIn(config.messageDelayLevel),
      index: config.messageIndexEnable ? new KeyIndex(shared, indexParts) : null,
      dirty: dirty.map((memoryOf) => new DirtyBits(memoryOf, shared.rows.capacity)),
      takeChanges: () => rowsChangesOf(parentPort!),
    })
    const closing = new Closing(shared, (position) => agent.closeBelow(position))
    run(withClosing(agent, closing), shared.signal, () => shared.isStopped())
  } catch (error) {
    failThread(error, { poison: shared.poison, thread, rouseAll: () => shared.rouseAll() })
  }
}

// The port stays open while it runs: changes come over it.
parentPort!.once('message', start)
