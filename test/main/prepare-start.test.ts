import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { brokerDeclaration } from '../../src/config/broker.ts'
import { namesrvDeclaration } from '../../src/config/namesrv.ts'
import { usage } from '../../src/main/arguments.ts'
import { type Ended, prepareStart } from '../../src/main/prepare-start.ts'

function startBroker(...argv: string[]) {
  return prepareStart('mqbroker', brokerDeclaration, { argv, environment: {} })
}

function startNamesrv(...argv: string[]) {
  return prepareStart('mqnamesrv', namesrvDeclaration, { argv, environment: {} })
}

test('without flags a program starts with its defaults', () => {
  expect(startBroker()).toMatchObject({
    config: { listenPort: 10911 },
    stdout: '',
    stderr: '',
  })
})

test('-n of the broker is its name server list', () => {
  expect(startBroker('-n', 'a:1;b:2')).toMatchObject({ config: { namesrvAddr: 'a:1;b:2' } })
})

test('-n of the name server does nothing', () => {
  expect(startNamesrv('-n', 'no address')).toMatchObject({ config: { listenPort: 9876 } })
})

test('settings changed at run time are written to the file that the name server was given', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'ringmq-start-')), 'namesrv.conf')
  writeFileSync(file, 'configStorePath=/elsewhere')
  expect(startNamesrv('-c', file)).toMatchObject({
    config: { configStorePath: file },
    stdout: `load config properties file OK, ${file}\n`,
  })
  rmSync(dirname(file), { recursive: true })
})

describe('a program ends before it starts', () => {
  test('with its usage and 0 when help is asked for', () => {
    expect(startBroker('-h')).toEqual({ exitCode: 0, stdout: usage('mqbroker'), stderr: '' })
  })

  test('with the reason, its usage and 1 when a flag is unknown', () => {
    const stderr = 'Unrecognized option: -zz\n'
    expect(startNamesrv('-zz')).toEqual({ exitCode: 1, stdout: usage('mqnamesrv'), stderr })
  })

  test("with Apache's line and 253 when a name server address cannot be read", () => {
    const line =
      'The Name Server Address[foo:x:y] illegal, please set it as follows, "127.0.0.1:9876;192.168.0.1:9876"'
    expect(startBroker('-n', 'foo:x:y')).toEqual({ exitCode: 253, stdout: `${line}\n`, stderr: '' })
  })

  test('with the file and 255 when the config file is missing', () => {
    const ended = startNamesrv('-c', '/absent/namesrv.conf') as Ended
    expect(ended).toMatchObject({ exitCode: 255, stdout: '' })
    expect(ended.stderr).toMatch(/^mqnamesrv: configFile=\/absent\/namesrv.conf: .*ENOENT/)
  })
})

describe('the config is printed', () => {
  const line = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO main - (\w+)=(.*)$/

  function printedKeys(flag: string): string[] {
    const { exitCode, stdout } = startBroker(flag) as Ended
    expect(exitCode).toBe(0)
    return stdout
      .trimEnd()
      .split('\n')
      .map((written) => line.exec(written)![1]!)
  }

  test('whole with -p', () => {
    expect(printedKeys('-p')).toEqual(Object.keys(brokerDeclaration.settings))
  })

  test('in part with -m', () => {
    const important = printedKeys('-m')
    expect(important).toContain('flushDiskType')
    expect(important).not.toContain('haListenPort')
  })
})
