import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { readCheckpoint } from '../../src/store/checkpoint.ts'
import { StopKind } from '../../src/store/last-stop.ts'
import { recover, type RecoveryOptions } from '../../src/store/recovery.ts'
import { recoverWithThreads, type ThreadOptions } from '../../src/store/recovery-threads.ts'
import { LogBuilder } from '../support/log-builder.ts'
import { TestStore } from '../support/test-store.ts'

const FILE = 64 * 1024
const QUEUE_FILE = 2000
const COUNT = 2000

/** A log of some files whose queues are gone. */
function lostQueues(): TestStore {
  const store = new TestStore(new LogBuilder({ fileSize: FILE }))
  store.log.addMany(COUNT, (nth) => ({ topic: `Topic${nth % 3}`, body: 'x'.repeat(nth % 300) }))
  store.log.write(store.logDirectory)
  return store
}

function optionsOf(root: string): RecoveryOptions {
  return {
    root,
    logDirectory: join(root, 'commitlog'),
    logFileSize: FILE,
    queues: { root: join(root, 'consumequeue'), fileSize: QUEUE_FILE },
    lastStop: { kind: StopKind.UNKNOWN, clean: null },
    checkCrc: true,
    times: readCheckpoint(systemDisk, root),
    deletedBelow: new Map(),
  }
}

const threads: ThreadOptions = {
  leastLength: FILE,
  spanLength: 10_000,
  threads: 2,
  onFailure: (failure) => expect.unreachable(JSON.stringify(failure)),
}

/** Threads that were started since, and those of them that still run. */
function watchThreads(): { started: Set<Worker>; running: Set<Worker> } {
  const [started, running] = [new Set<Worker>(), new Set<Worker>()]
  const watch = (worker: Worker) => {
    started.add(worker)
    running.add(worker)
    worker.once('exit', () => running.delete(worker))
  }
  process.on('worker', watch)
  onTestFinished(() => void process.off('worker', watch))
  return { started, running }
}

function filesIn(folder: string): Map<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return [path.slice(folder.length), readFileSync(path)]
    }),
  )
}

/** Counts what of the log this thread reads itself. */
function countingDisk(): { disk: Disk; read: () => number } {
  const logs = new Set<number>()
  let read = 0
  const disk: Disk = {
    ...systemDisk,
    open: (path) => {
      const descriptor = systemDisk.open(path)
      if (path.includes('commitlog')) logs.add(descriptor)
      else logs.delete(descriptor)
      return descriptor
    },
    pread: (descriptor, span) => {
      if (logs.has(descriptor)) read += span.length
      return systemDisk.pread(descriptor, span)
    },
  }
  return { disk, read: () => read }
}

describe('a recovery with threads', () => {
  test('makes the same files as one without, and leaves no thread behind', async () => {
    const [alone, helped] = [lostQueues(), lostQueues()]
    const expected = recover(systemDisk, optionsOf(alone.root))
    const { disk, read } = countingDisk()
    const { started, running } = watchThreads()
    const recovered = await recoverWithThreads(disk, optionsOf(helped.root), threads)
    expect(recovered).toMatchObject({ end: expected.end, dispatched: COUNT, isCut: false })
    expect(filesIn(helped.root)).toEqual(filesIn(alone.root))
    expect(read()).toBeLessThan(2 * FILE) // heads of files, and zeros behind the end
    expect([started.size, running.size]).toEqual([2, 0])
  })

  test('starts none for less than they are worth', async () => {
    const store = lostQueues()
    const { disk, read } = countingDisk()
    const { started } = watchThreads()
    const leastLength = store.log.end
    const options = optionsOf(store.root)
    const { dispatched } = await recoverWithThreads(disk, options, { ...threads, leastLength })
    expect(dispatched).toBe(COUNT)
    expect(read()).toBeGreaterThan(store.log.end)
    expect(started.size).toBe(0)
  })

  test('reads the log alone, and tells of the file, when they cannot', async () => {
    const store = lostQueues()
    // They look for the log where it is said to be; this thread finds it elsewhere.
    const said = join(store.root, 'nowhere')
    const found = (path: string) => path.replace(said, store.logDirectory)
    const disk: Disk = {
      ...systemDisk,
      open: (path) => systemDisk.open(found(path)),
      openRead: (path) => systemDisk.openRead(found(path)),
      exists: (path) => systemDisk.exists(found(path)),
      list: (path) => systemDisk.list(found(path)),
    }
    const failures: string[] = []
    const onFailure: ThreadOptions['onFailure'] = ({ file, error }) =>
      failures.push(`${file} ${error}`)
    const options = { ...optionsOf(store.root), logDirectory: said }
    const { dispatched } = await recoverWithThreads(disk, options, { ...threads, onFailure })
    expect(dispatched).toBe(COUNT)
    expect(failures.length).toBe(1)
    expect(failures[0]).toMatch(/nowhere\/0{20} Error: ENOENT/)
    rmSync(said, { recursive: true, force: true })
  })

  test('is refused with the error of the disk, with no thread left', async () => {
    const store = lostQueues()
    const { started, running } = watchThreads()
    let writes = 0
    const fails: Disk = {
      ...systemDisk,
      pwrite: (descriptor, span) => {
        if (++writes < 20) return systemDisk.pwrite(descriptor, span)
        throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO', errno: -5 })
      },
    }
    const recovering = recoverWithThreads(fails, optionsOf(store.root), threads)
    await expect(recovering).rejects.toThrow('EIO: i/o error, write')
    expect([started.size, running.size]).toEqual([2, 0])
  })
})
