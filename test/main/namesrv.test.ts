import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { binFolder, RunningProgram, runScript } from './running-program.ts'

const BOOTED = /^The Name Server boot success\. serializeType=JSON, address 127\.0\.0\.1:(\d+)$/m
const running: RunningProgram[] = []
let folder: string
let file: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringmq namesrv '))
  file = writeConfig('namesrv.conf', 'listenPort=0')
})
afterEach(async () => {
  for (const { process } of running) process.kill('SIGKILL')
  await Promise.all(running.splice(0).map(({ ended }) => ended))
})
afterAll(() => rmSync(folder, { recursive: true }))

function writeConfig(name: string, ...lines: string[]): string {
  const own = ['bindAddress=127.0.0.1', `kvConfigPath=${folder}/kvConfig.json`]
  writeFileSync(join(folder, name), [...own, ...lines].join('\n'))
  return join(folder, name)
}

function keep(program: RunningProgram): RunningProgram {
  running.push(program)
  return program
}

async function start(...words: string[]): Promise<RunningProgram> {
  const program = keep(runScript('mqnamesrv', ...words))
  await program.untilPrinted(BOOTED)
  return program
}

test("mqnamesrv prints Apache's lines and nothing else", async () => {
  const namesrv = keep(runScript('mqnamesrv', '-c', file))
  const [booted] = await namesrv.untilPrinted(BOOTED)
  namesrv.process.kill('SIGTERM')
  const { stdout } = await namesrv.ended
  expect(stdout).toBe(`load config properties file OK, ${file}\n${booted}\n`)
})

describe('mqnamesrv starts', () => {
  test('as `sh mqnamesrv` in its own folder', async () => {
    const namesrv = keep(new RunningProgram('sh', ['mqnamesrv', '-c', file], binFolder))
    await namesrv.untilPrinted(BOOTED)
  })

  test('through a symbolic link in another folder', async () => {
    const link = join(folder, 'a link')
    symlinkSync(join(binFolder, 'mqnamesrv'), link)
    const namesrv = keep(new RunningProgram(link, ['-c', file], folder))
    await namesrv.untilPrinted(BOOTED)
  })
})

test('the process that was started is the one that runs, found by the name of its Java class', async () => {
  const { pid } = await start('-c', file)
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  expect(words).toContain('org.apache.rocketmq.namesrv.NamesrvStartup')
})

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('%s closes it and ends it with %d', async (signal, exitCode) => {
  const namesrv = await start('-c', file)
  namesrv.process.kill(signal)
  expect((await namesrv.ended).exitCode).toBe(exitCode)
})

test('a key that is not honoured is named on stderr', async () => {
  const words = ['-c', writeConfig('more.conf', 'listenPort=0', 'clientRequestThreadPoolNums=4')]
  const namesrv = await start(...words)
  namesrv.process.kill('SIGTERM')
  expect((await namesrv.ended).stderr).toContain(
    "more.conf:4: clientRequestThreadPoolNums=4 is not honoured by RingMQ's name server",
  )
})

test('a port in use ends the start with 255 and its number', async () => {
  const namesrv = keep(runScript('mqnamesrv', '-c', file))
  const [, port] = await namesrv.untilPrinted(BOOTED)
  const second = keep(
    runScript('mqnamesrv', '-c', writeConfig('second.conf', `listenPort=${port}`)),
  )
  const { exitCode, stderr } = await second.ended
  expect(exitCode).toBe(255)
  expect(stderr).toContain(port)
})

test('-h prints the usage and starts nothing', async () => {
  const { exitCode, stdout } = await keep(runScript('mqnamesrv', '-h')).ended
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^usage: mqnamesrv /)
})

// Always with --pid: other name servers of this machine are none of our business.
describe('mqshutdown', () => {
  test("prints Apache's lines and returns when the process is gone", async () => {
    const namesrv = await start('-c', file)
    const { pid } = namesrv
    const { exitCode, stdout } = await runScript('mqshutdown', 'namesrv', '--pid', `${pid}`).ended
    expect(stdout).toBe(
      `The mqnamesrv(${pid}) is running...\nSend shutdown request to mqnamesrv(${pid}) OK\n`,
    )
    expect(exitCode).toBe(0)
    expect((await namesrv.ended).exitCode).toBe(143)
  })

  test('--no-wait sends the signal and returns', async () => {
    const namesrv = await start('-c', file)
    const words = ['namesrv', '--no-wait', '--pid', `${namesrv.pid}`]
    expect((await runScript('mqshutdown', ...words).ended).exitCode).toBe(0)
    expect((await namesrv.ended).exitCode).toBe(143)
  })

  test.each([
    ['broker', 'No mqbroker running.'],
    ['namesrv', 'No mqnamesrv running.'],
  ])('%s leaves a process alone that only mentions the class', async (kind, line) => {
    const classes = ['broker.BrokerStartup', 'namesrv.NamesrvStartup']
    const words = classes.map((name) => `org.apache.rocketmq.${name}`)
    const script = 'console.log("up"); setInterval(() => {}, 1000)'
    const stranger = keep(new RunningProgram(process.execPath, ['-e', script, ...words], '/'))
    await stranger.untilPrinted(/up/)
    const pid = `${stranger.pid}`
    const { exitCode, stdout } = await runScript('mqshutdown', kind, '--pid', pid).ended
    expect(stdout).toBe(`${line}\n`)
    expect(exitCode).toBe(1)
  })

  test('does not take a name server for a broker', async () => {
    const { pid } = await start('-c', file)
    const { exitCode, stdout } = await runScript('mqshutdown', 'broker', '--pid', `${pid}`).ended
    expect(stdout).toBe('No mqbroker running.\n')
    expect(exitCode).toBe(1)
  })

  test('without a kind prints its usage', async () => {
    const { exitCode, stdout } = await runScript('mqshutdown').ended
    expect(stdout).toMatch(/^Usage: mqshutdown broker \| namesrv/)
    expect(exitCode).toBe(1)
  })
})
