import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { StoreError } from '../../src/store/log-files.ts'
import { currentProcess } from '../../src/store/process-identity.ts'
import { StoreLock } from '../../src/store/store-lock.ts'
import { tempFolder } from '../support/temp-folder.ts'

const HOLDER = fileURLToPath(new URL('../support/lock-holder.ts', import.meta.url))

async function take(root: string): Promise<StoreLock> {
  const lock = await StoreLock.take(root)
  onTestFinished(() => lock.release())
  return lock
}

async function refusal(root: string): Promise<string> {
  const error: unknown = await StoreLock.take(root).then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(StoreError)
  return (error as Error).message
}

/** Another process of ours that holds the store. */
async function startHolder(root: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [HOLDER, root], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

function writeHolder(root: string, holder: object): void {
  writeFileSync(join(root, 'ringmq.lock'), JSON.stringify(holder).padEnd(512))
}

/** What a broker in another container would have written. */
function stranger(heartbeatMs: number) {
  return { boot: 'b', namespace: 'pid:[1]', pid: 1, started: '7', heartbeatMs }
}

describe('a store', () => {
  test('is held by one broker of a process at a time', async () => {
    const root = tempFolder()
    const lock = await take(root)
    expect(await refusal(root)).toContain('another RingMQ broker of this machine uses the store')
    expect(await refusal(root)).toContain(root)
    await lock.release()
    await take(root)
  })

  test('is the same under another name', async () => {
    const root = tempFolder()
    const link = join(tempFolder(), 'link')
    symlinkSync(root, link)
    await take(root)
    expect(await refusal(link)).toContain('Lock failed,MQ already started')
  })

  test('can be held beside another store', async () => {
    await take(tempFolder())
    await take(tempFolder())
  })

  test('held by another process is refused, until that process is gone, however it went', async () => {
    const root = tempFolder()
    const holder = await startHolder(root)
    expect(await refusal(root)).toContain('Lock failed,MQ already started')
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    await take(root)
  })

  test('is given back while somebody is connected to the socket of its lock', async () => {
    const root = tempFolder()
    const lock = await StoreLock.take(root)
    const { dev, ino } = statSync(root)
    const visitor = connect(`\0ringmq-store-${dev}-${ino}`)
    await once(visitor, 'close')
    await lock.release()
  })

  test('whose folder is not there is an error of its own', async () => {
    await expect(StoreLock.take(join(tempFolder(), 'nowhere'))).rejects.toThrow('ENOENT')
  })
})

describe('a holder that cannot be seen', () => {
  test('is believed while its heartbeat is fresh', async () => {
    const root = tempFolder()
    writeHolder(root, stranger(Date.now() - 5000))
    const message = await refusal(root)
    expect(message).toContain('process 1 of another container or host')
    expect(message).toContain('try again in 30 s')
  })

  test('is taken over when its heartbeat is stale', async () => {
    const root = tempFolder()
    writeHolder(root, stranger(Date.now() - 31_000))
    await take(root)
    const written = JSON.parse(readFileSync(join(root, 'ringmq.lock'), 'utf8')) as object
    expect(written).toMatchObject(currentProcess())
  })

  test.each(['', '{', '{"heartbeatMs":"x"}', ' '.repeat(512)])(
    'that wrote %j is none',
    async (text) => {
      const root = tempFolder()
      writeFileSync(join(root, 'ringmq.lock'), text)
      await take(root)
    },
  )
})

describe('a holder of our own namespace', () => {
  test('that is dead is taken over at once, though its heartbeat is fresh', async () => {
    const root = tempFolder()
    const { pid } = spawnSync('true')
    writeHolder(root, { ...currentProcess(), pid, started: '1', heartbeatMs: Date.now() })
    await take(root)
  })

  test('whose pid is another process’s by now is taken over', async () => {
    const root = tempFolder()
    writeHolder(root, {
      ...currentProcess(),
      pid: process.ppid,
      started: '1',
      heartbeatMs: Date.now(),
    })
    await take(root)
  })

  test('that lives is believed, though the socket says nothing of it', async () => {
    const root = tempFolder()
    const holder = await startHolder(tempFolder())
    const stat = readFileSync(`/proc/${holder.pid}/stat`, 'utf8')
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!
    writeHolder(root, { ...currentProcess(), pid: holder.pid, started, heartbeatMs: 0 })
    expect(await refusal(root)).toContain(`process ${holder.pid}`)
  })
})

test('a heartbeat is written at once and given up at the end', async () => {
  const root = tempFolder()
  const path = join(root, 'ringmq.lock')
  const lock = await StoreLock.take(root)
  const { heartbeatMs } = JSON.parse(readFileSync(path, 'utf8')) as { heartbeatMs: number }
  expect(Date.now() - heartbeatMs).toBeLessThan(10_000)
  lock.beat()
  await lock.release()
  expect(readFileSync(path, 'utf8').trim()).toBe('')
})

test('the lock that Apache’s broker takes is seen, and says who has it', async () => {
  const root = tempFolder()
  mkdirSync(root, { recursive: true })
  writeFileSync(join(root, 'lock'), 'lock')
  const script = [
    'import fcntl, sys',
    "file = open(sys.argv[1], 'r+')",
    'fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)',
    "print('held', flush=True)",
    'sys.stdin.read()',
  ].join('\n')
  const python = spawn('python3', ['-c', script, join(root, 'lock')])
  onTestFinished(() => void python.kill())
  const isStarted = await Promise.race([
    once(python, 'error').then(() => false),
    once(python.stdout, 'data').then(() => true),
  ])
  if (!isStarted) {
    process.stderr.write('NOT TESTED: there is no python3 to take a lock as Apache does\n')
    return
  }
  expect(await refusal(root)).toContain(`process ${python.pid} (Apache's broker, it seems) holds`)
  python.stdin.end()
  await once(python, 'exit')
  await take(root)
})
