// Owns `dispatched`, the consume queue files and the queues' `max`.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { systemDisk } from '../src/base/disk.ts'
import type { DispatchCommand, WorkerBoot } from '../src/broker/workers.ts'
import { run } from '../src/ring/agent.ts'
import { DirtyBits } from '../src/ring/dirty-bits.ts'
import { failThread } from '../src/ring/thread-failure.ts'
import { DispatchAgent } from '../src/store/dispatch-agent.ts'
import { LogFiles } from '../src/store/log-files.ts'
import { LogShared } from '../src/store/log-memory.ts'
import { LogWindow } from '../src/store/log-window.ts'
import { storePlaces } from '../src/store/store-places.ts'
import { visibleOf } from '../src/store/visible.ts'

const { memory, thread, config, dirty } = workerData as WorkerBoot
const shared = new LogShared(memory, thread)

function takeChanges(): DispatchCommand[] {
  const changes: DispatchCommand[] = []
  for (;;) {
    const received = receiveMessageOnPort(parentPort!)
    if (received === undefined) return changes
    changes.push(received.message as DispatchCommand)
  }
}

try {
  const { logDirectory, logFileSize, queues } = storePlaces(config)
  const agent = new DispatchAgent(shared, {
    window: new LogWindow(shared),
    files: new LogFiles(systemDisk, { directory: logDirectory, fileSize: logFileSize }),
    disk: systemDisk,
    visible: visibleOf(shared, config.flushDiskType === 'SYNC_FLUSH'),
    queues,
    dirty: dirty.map((memoryOf) => new DirtyBits(memoryOf, shared.rows.capacity)),
    takeChanges,
  })
  run(agent, shared.signal, () => shared.isStopped())
} catch (error) {
  failThread(error, { poison: shared.poison, thread, rouseAll: () => shared.rouseAll() })
}
