import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type ConfigError, loadConfig } from '../../src/config/load.ts'
import {
  addresses,
  bool,
  bytes,
  derived,
  host,
  hoursOfDay,
  int,
  long,
  oneOf,
  path,
  port,
  size,
  text,
} from '../../src/config/setting.ts'

const settings = {
  name: text({ default: 'nobody', doc: '' }),
  mode: oneOf('FAST', 'SAFE')({ default: 'FAST', doc: '' }),
  port: port({ default: 10911, doc: '' }),
  next: port({
    default: derived('port + 1', (known) => Number(known.port) + 1),
    unset: 0,
    doc: '',
  }),
  count: int({ default: 3, doc: '' }),
  big: long({ default: 4, doc: '' }),
  room: bytes({ default: 5, max: 100, doc: '' }),
  flag: bool({ default: false, doc: '' }),
  folder: path({ default: '/var/data', doc: '' }),
  self: host({ default: '127.0.0.1', doc: '' }),
  peers: addresses({ default: derived('$PEERS', (_, { PEERS }) => PEERS ?? ''), doc: '' }),
}

const declaration = {
  program: 'broker',
  settings,
  apacheKeys: () => new Map([['warmUp', 'true']]),
  check: () => undefined,
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringmq-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function fileOf(content: string): string {
  const file = join(folder, 'broker.conf')
  writeFileSync(file, content)
  return file
}

function load(content: string) {
  return loadConfig(declaration, { file: fileOf(content) })
}

function faultOf(content: string): ConfigError {
  try {
    load(content)
  } catch (error) {
    return error as ConfigError
  }
  throw new Error('the file was accepted')
}

describe('a config', () => {
  test('has every default when nothing is given, and is frozen', () => {
    const { config, warnings } = loadConfig(declaration)
    expect(config).toEqual({
      name: 'nobody',
      mode: 'FAST',
      port: 10911,
      next: 10912,
      count: 3,
      big: 4,
      room: 5,
      flag: false,
      folder: '/var/data',
      self: '127.0.0.1',
      peers: '',
    })
    expect(warnings).toEqual([])
    expect(Object.isFrozen(config)).toBe(true)
  })

  test('takes what the file says', () => {
    const { config } = load('name = a b\nmode=SAFE\nport=1\nflag=TRUE\ncount=-7\nself=::1')
    expect(config).toMatchObject({ name: 'a b', mode: 'SAFE', flag: true, count: -7, self: '::1' })
  })

  test('derives a default from the settings of the file', () => {
    expect(load('port=4000').config.next).toBe(4001)
  })

  test('derives the default as well when the value stands for nothing', () => {
    expect(load('port=4000\nnext=0').config.next).toBe(4001)
  })

  test('prefers an override to the file and the file to the environment', () => {
    const file = fileOf('peers=file:1')
    const environment = { PEERS: 'env:1' }
    expect(loadConfig(declaration, { environment }).config.peers).toBe('env:1')
    expect(loadConfig(declaration, { environment, file }).config.peers).toBe('file:1')
    const overrides = { peers: 'flag:1' }
    expect(loadConfig(declaration, { environment, file, overrides }).config.peers).toBe('flag:1')
  })

  test('drops blanks and empty items from a list of addresses', () => {
    expect(load('peers= a:1; b:2;;[::1]:3; ').config.peers).toBe('a:1;b:2;[::1]:3')
  })

  test('reads ~/ as the home folder', () => {
    expect(load('folder=~/x').config.folder).toMatch(/^\/.*[^~]\/x$/)
  })
})

describe('a value that is not allowed', () => {
  test.each([
    ['mode=safe', 'one of FAST, SAFE'],
    ['port=65536', 'a number from 0 to 65535'],
    ['port=', 'a number from 0 to 65535'],
    ['count=1.5', 'a number from -2147483648 to 2147483647'],
    ['count=3000000000', 'a number from -2147483648 to 2147483647'],
    ['room=1000', 'a number from 1 to 100 (bytes)'],
    ['flag=yes', 'true or false'],
    ['folder=/a,/b', 'one path (no list)'],
    ['self=10.0.0.1;10.0.0.2', 'a host name or IP address'],
    ['peers=a:x', 'host:port items separated by ";"'],
    ['peers=a:70000', 'host:port items separated by ";"'],
    ['peers=a', 'host:port items separated by ";"'],
  ])('%s is an error that names key, value and what is allowed', (line, allowed) => {
    const fault = faultOf(`# first\n${line}`)
    expect(fault.name).toBe('ConfigError')
    expect(`${fault.key}=${fault.value}`).toBe(line)
    expect(fault.message).toContain(`broker.conf:2: ${line}: allowed is ${allowed}`)
  })

  test('because of a comment behind it is explained', () => {
    const { message } = faultOf('self=10.0.0.1 #the address of this machine')
    expect(message).toContain('a comment needs a line of its own')
  })

  test('from the environment is an error too', () => {
    const environment = { PEERS: 'nonsense' }
    expect(() => loadConfig(declaration, { environment })).toThrow('peers=nonsense')
  })
})

test('a file that is not there is an error that names it', () => {
  const file = join(folder, 'absent.conf')
  expect(() => loadConfig(declaration, { file })).toThrow(`configFile=${file}`)
})

describe('a warning is given', () => {
  test('for an unknown key, with the nearest name', () => {
    expect(load('prot=1').warnings).toEqual([
      `${folder}/broker.conf:1: unknown key prot is ignored, did you mean port?`,
    ])
  })

  test('for a key of Apache that is not honoured', () => {
    expect(load('\nwarmUp=false').warnings).toEqual([
      `${folder}/broker.conf:2: warmUp=false is not honoured by RingMQ's broker`,
    ])
  })

  test('once for all such keys that only repeat the default', () => {
    expect(load('warmUp=true').warnings).toEqual([
      "not honoured by RingMQ's broker, all at Apache's default: warmUp",
    ])
  })

  test('for a comment that has become part of a text', () => {
    const { config, warnings } = load('name=a # the first')
    expect(config.name).toBe('a # the first')
    expect(warnings).toEqual([
      `${folder}/broker.conf:1: the value of name is all of "a # the first": a comment needs a line of its own`,
    ])
  })

  test('for a key that is given twice; the later value holds', () => {
    const { config, warnings } = load('count=1\ncount=2')
    expect(config.count).toBe(2)
    expect(warnings).toEqual([
      `${folder}/broker.conf:2: count is given twice, the value at ${folder}/broker.conf:1 is lost`,
    ])
  })
})

describe('a size', () => {
  test.each([
    ['0', 0],
    ['1073741824', 1024 ** 3],
    ['4GiB', 4 * 1024 ** 3],
    ['100 MiB', 100 * 1024 ** 2],
    ['3TiB', 3 * 1024 ** 4],
    ['7KiB', 7168],
  ])('%s is %i bytes', (written, value) => {
    expect(size({ default: 0, doc: '' }).parse(written)).toBe(value)
  })

  test.each(['', '4G', '4GB', '-1', '1.5GiB', '9999999TiB', 'GiB'])('%s is none', (written) => {
    expect(size({ default: 0, doc: '' }).parse(written)).toBeUndefined()
  })
})

test('hours of the day are whole, and from 0 to 23', () => {
  const { parse } = hoursOfDay({ default: '04', doc: '' })
  for (const written of ['04', '4', '00;12;23', '4; 16']) expect(parse(written)).toBe(written)
  for (const written of ['', '24', '4,5', '4;', 'noon', '-1'])
    expect(parse(written)).toBeUndefined()
})
