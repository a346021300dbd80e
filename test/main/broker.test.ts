import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

import { type RunningProgram, runScript } from './running-program.ts'

const running: RunningProgram[] = []
let folder: string
let file: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringmq-broker-'))
  file = join(folder, 'broker.conf')
  const lines = [
    'bindAddress=127.0.0.1',
    'listenPort=0',
    'brokerName=broker-a',
    `storePathRootDir=${folder}/store`,
    'mappedFileSizeCommitLog=1048576',
    'maxMessageSize=65536',
    'logWindowSize=1048576',
  ]
  writeFileSync(file, lines.join('\n'))
})
afterEach(async () => {
  for (const { process } of running) process.kill('SIGKILL')
  await Promise.all(running.splice(0).map(({ ended }) => ended))
})
afterAll(() => rmSync(folder, { recursive: true }))

function run(name: string, ...words: string[]): RunningProgram {
  const program = runScript(name, ...words)
  running.push(program)
  return program
}

test("mqbroker prints Apache's line, is ended by mqshutdown, and starts again on its store", async () => {
  for (const _ of ['fresh', 'again']) {
    const broker = run('mqbroker', '-c', file)
    await broker.untilPrinted(
      /^The broker\[broker-a, 127\.0\.0\.1:\d+\] boot success\. serializeType=JSON$/m,
    )
    const { stdout } = await run('mqshutdown', 'broker', '--pid', `${broker.pid}`).ended
    expect(stdout).toContain(`Send shutdown request to mqbroker(${broker.pid}) OK`)
    expect((await broker.ended).exitCode).toBe(143)
    expect(existsSync(join(folder, 'store', 'abort'))).toBe(false)
  }
})

test('the line names the name servers', async () => {
  const broker = run('mqbroker', '-n', '127.0.0.1:1;127.0.0.1:2', '-c', file)
  await broker.untilPrinted(/serializeType=JSON and name server is 127\.0\.0\.1:1;127\.0\.0\.1:2$/m)
})

test('a name server address that cannot be read ends the start with 253', async () => {
  const { exitCode, stdout } = await run('mqbroker', '-n', 'nowhere', '-c', file).ended
  expect(exitCode).toBe(253)
  expect(stdout).toMatch(/^The Name Server Address\[nowhere\] illegal, please set it as follows/)
})

test('a value that is not allowed ends the start with 255 and the reason', async () => {
  const wrong = join(folder, 'wrong.conf')
  writeFileSync(wrong, 'flushDiskType=sync')
  const { exitCode, stderr } = await run('mqbroker', '-c', wrong).ended
  expect(exitCode).toBe(255)
  expect(stderr).toBe(
    `mqbroker: ${wrong}:1: flushDiskType=sync: allowed is one of ASYNC_FLUSH, SYNC_FLUSH\n`,
  )
})

test.each([
  ['storePathRootDir', 'there'],
  ['storePathRootDir', 'there/below'],
  ['storePathCommitLog', 'there/below'],
])(
  'a folder of the store, %s, that cannot be made at %s ends the start with 255, key, path and reason',
  async (key, name) => {
    writeFileSync(join(folder, 'there'), 'a file')
    const path = join(folder, name)
    const wrong = join(folder, 'wrong-store.conf')
    const paths = { storePathRootDir: join(folder, 'other'), [key]: path }
    const lines = Object.entries(paths).map(([each, value]) => `${each}=${value}`)
    writeFileSync(wrong, ['bindAddress=127.0.0.1', 'listenPort=0', ...lines].join('\n'))
    const { exitCode, stderr } = await run('mqbroker', '-c', wrong).ended
    expect(exitCode).toBe(255)
    expect(stderr).toMatch(/^[^\n]+\n$/)
    expect(stderr).toContain(`${key}=${path}: allowed is a folder that is there or can be`)
    expect(stderr).toMatch(/\((EEXIST|ENOTDIR): /)
  },
)

test('-m prints the important settings and starts nothing', async () => {
  const { exitCode, stdout } = await run('mqbroker', '-c', file, '-m').ended
  expect(exitCode).toBe(0)
  expect(stdout).toContain('INFO main - brokerName=broker-a\n')
})
