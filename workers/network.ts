// Owns sockets. Appends sends itself, writes, answers; serves and holds pulls; passes the rest to main.
import { parentPort } from 'node:worker_threads'
import { NetworkThread } from '../src/broker/network-thread.ts'
import type { NetworkBoot, NetworkCommand, NetworkReport } from '../src/broker/workers.ts'
import { failThread } from '../src/ring/thread-failure.ts'
import { LogShared } from '../src/store/log-memory.ts'

function start(boot: NetworkBoot): void {
  const shared = new LogShared(boot.memory, boot.thread)
  const fail = (error: unknown) => {
    const rouseAll = () => shared.rouseAll()
    failThread(error, { poison: shared.poison, thread: boot.thread, rouseAll })
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  const report = (message: NetworkReport) => parentPort!.postMessage(message)
  const thread = new NetworkThread(shared, boot, report)
  // A listener also keeps the event loop alive: a pending waitAsync does not.
  parentPort!.on('message', (command: NetworkCommand) => thread.onCommand(command))
  thread.run().then(() => parentPort!.close(), fail)
}

parentPort!.once('message', start)
