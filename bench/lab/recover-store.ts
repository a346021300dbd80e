/**
 * Recovers a store that no broker runs on, as a start does, and prints what it took as JSON.
 *
 *   node bench/lab/recover-store.ts --root DIR [--alone]
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemDisk } from '../../src/base/disk.ts'
import { brokerDeclaration } from '../../src/config/broker.ts'
import { loadConfig } from '../../src/config/load.ts'
import { readCheckpoint } from '../../src/store/checkpoint.ts'
import { DeletedTopics } from '../../src/store/deleted-topics.ts'
import { readLastStop } from '../../src/store/last-stop.ts'
import { currentProcess } from '../../src/store/process-identity.ts'
import { recover } from '../../src/store/recovery.ts'
import { recoverWithThreads, threadOptions } from '../../src/store/recovery-threads.ts'
import { storePlaces } from '../../src/store/store-places.ts'

const { values } = parseArgs({
  options: { root: { type: 'string', default: '' }, alone: { type: 'boolean', default: false } },
})
const overrides = {
  storePathRootDir: values.root,
  storePathCommitLog: join(values.root, 'commitlog'),
  brokerIP1: '127.0.0.1',
}
const { config } = loadConfig(brokerDeclaration, { overrides, environment: {} })
const options = {
  ...storePlaces(config),
  lastStop: readLastStop(systemDisk, values.root, currentProcess().boot),
  checkCrc: config.checkCRCOnRecover,
  times: readCheckpoint(systemDisk, values.root),
  deletedBelow: new DeletedTopics(systemDisk, values.root).below,
}
const threads = threadOptions((failure) => {
  throw new Error(JSON.stringify(failure))
})
const [from, cpuFrom] = [performance.now(), process.cpuUsage()]
const { dispatched } = values.alone
  ? recover(systemDisk, options)
  : await recoverWithThreads(systemDisk, options, threads)
const milliseconds = Math.round(performance.now() - from)
const { user, system } = process.cpuUsage(cpuFrom)
const cpuMs = Math.round((user + system) / 1000)
const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024)
console.log(JSON.stringify({ milliseconds, cpuMs, peakMiB, dispatched }))
