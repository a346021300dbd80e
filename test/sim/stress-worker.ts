// One thread of the stress: starts when main says so, reports what it has done.
import { parentPort, workerData } from 'node:worker_threads'
import { failThread } from '../../src/ring/thread-failure.ts'
import { LogShared } from '../../src/store/log-memory.ts'
import { stressThread, type StressBoot } from './stress-threads.ts'

const boot = workerData as StressBoot
try {
  const thread = stressThread(boot)
  parentPort!.postMessage('ready')
  parentPort!.once('message', () => {
    try {
      while (thread.step());
      parentPort!.postMessage(thread.counts)
    } catch (error) {
      fail(error)
    }
  })
} catch (error) {
  fail(error)
}

function fail(error: unknown): void {
  const { poison, rouseAll } = sharedOf()
  failThread(error, { poison, thread: boot.thread, rouseAll })
}

function sharedOf() {
  const shared = new LogShared(boot.memory, boot.thread)
  return { poison: shared.poison, rouseAll: () => shared.rouseAll() }
}
