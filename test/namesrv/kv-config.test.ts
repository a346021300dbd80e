import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { KvConfig, KvConfigError } from '../../src/namesrv/kv-config.ts'
import { ResponseError } from '../../src/protocol/response-error.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kv-'))
  path = join(folder, 'deep', 'kvConfig.json')
})
afterEach(() => rmSync(folder, { recursive: true }))

test('what was put is there after a restart', () => {
  const first = new KvConfig(path)
  first.put('n', 'k', 'v "1" ü')
  first.put('n', 'l', '')
  first.put('__proto__', 'constructor', 'x')
  first.delete('n', 'none')
  const second = new KvConfig(path)
  expect(second.get('n', 'k')).toBe('v "1" ü')
  expect(second.table('n')).toEqual(
    new Map([
      ['k', 'v "1" ü'],
      ['l', ''],
    ]),
  )
  expect(second.get('__proto__', 'constructor')).toBe('x')
  expect(second.table('m')).toBeUndefined()
})

test('the file is as Apache writes and reads it', () => {
  new KvConfig(path).put('ORDER_TOPIC_CONFIG', 'T', 'a:4')
  expect(readFileSync(path, 'utf8')).toBe('{"configTable":{"ORDER_TOPIC_CONFIG":{"T":"a:4"}}}')
})

test('the generation before is kept as .bak, and nothing else is left', () => {
  const config = new KvConfig(path)
  config.put('n', 'k', '1')
  config.put('n', 'k', '2')
  expect(readdirSync(join(folder, 'deep')).toSorted()).toEqual([
    'kvConfig.json',
    'kvConfig.json.bak',
  ])
  expect(readFileSync(`${path}.bak`, 'utf8')).toContain('"1"')
})

test('a damaged file is replaced by its .bak', () => {
  const config = new KvConfig(path)
  config.put('n', 'k', '1')
  config.put('n', 'k', '2')
  writeFileSync(path, '{"configTable":{"n":{"k"')
  expect(new KvConfig(path).get('n', 'k')).toBe('1')
})

test('a longer .tmp left by a crash leaves no trace', () => {
  const config = new KvConfig(path)
  config.put('n', 'k', '1')
  writeFileSync(`${path}.tmp`, 'x'.repeat(1000))
  config.put('n', 'k', '2')
  expect(new KvConfig(path).get('n', 'k')).toBe('2')
})

test('a file that cannot be read at all is not started over', () => {
  new KvConfig(path).put('n', 'k', '1')
  writeFileSync(path, '')
  expect(() => new KvConfig(path)).toThrow(KvConfigError)
  expect(() => new KvConfig(path)).toThrow(/kvConfig.json.*move it away/)
})

test('more than fits is refused, and what was there stays', () => {
  const config = new KvConfig(path)
  config.put('n', 'k', 'v')
  expect(() => config.put('n', 'l', 'x'.repeat(9_000_000))).toThrow(ResponseError)
  expect(config.table('n')).toEqual(new Map([['k', 'v']]))
})

test('a change that cannot be written is not made', () => {
  const config = new KvConfig(path)
  config.put('n', 'k', '1')
  rmSync(join(folder, 'deep'), { recursive: true })
  writeFileSync(join(folder, 'deep'), 'a file where the folder was')
  expect(() => config.put('n', 'k', '2')).toThrow()
  expect(config.get('n', 'k')).toBe('1')
})
