import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigFile, ConfigFileError } from '../../src/broker/config-json.ts'
import { MemoryLog } from './memory-log.ts'
import { tempFolder } from '../support/temp-folder.ts'

function configFile() {
  const path = join(tempFolder(), 'config', 'topics.json')
  const log = new MemoryLog()
  mkdirSync(join(path, '..'))
  return { path, log, file: new ConfigFile(path, log) }
}

describe('a config file', () => {
  test('that is not there reads as nothing, without a warning', async () => {
    const { file, log } = configFile()
    expect(await file.load()).toBeNull()
    expect(log.lines).toEqual([])
  })

  test('reads back what was saved', async () => {
    const { file } = configFile()
    await file.save('{"a":1}')
    expect(await file.load()).toEqual(new Map([['a', 1]]))
  })

  test('is made with its folder', async () => {
    const path = join(tempFolder(), 'not', 'there', 'topics.json')
    await new ConfigFile(path, new MemoryLog()).save('{}')
    expect(readFileSync(path, 'utf8')).toBe('{}')
  })

  test('keeps the generation before as .bak', async () => {
    const { file, path } = configFile()
    for (const text of ['{"a":1}', '{"a":2}', '{"a":3}']) await file.save(text)
    expect(readFileSync(`${path}.bak`, 'utf8')).toBe('{"a":2}')
  })

  test('writes saves that come at once one after the other, the last one last', async () => {
    const { file, path } = configFile()
    await Promise.all(['{"a":1}', '{"a":2}', '{"a":3}'].map((text) => file.save(text)))
    expect(readFileSync(path, 'utf8')).toBe('{"a":3}')
    expect(readFileSync(`${path}.bak`, 'utf8')).toBe('{"a":2}')
  })

  test.each([
    ['is damaged', '{"a":'],
    ['holds no object', '[1]'],
    ['is empty', ' \n'],
  ])('that %s is read from .bak, with a warning that names both', async (_, text) => {
    const { file, path, log } = configFile()
    writeFileSync(path, text)
    writeFileSync(`${path}.bak`, '{"a":1}')
    expect(await file.load()).toEqual(new Map([['a', 1]]))
    expect(log.lines).toHaveLength(1)
    expect(log.lines[0]).toContain(`warn read ${path}.bak instead`)
  })

  test('that is missing after a crash between the two renames is read from .bak', async () => {
    const { file, path } = configFile()
    writeFileSync(`${path}.bak`, '{"a":1}')
    expect(await file.load()).toEqual(new Map([['a', 1]]))
  })

  test('that is damaged without a readable .bak stops the start and says what to do', async () => {
    const { file, path } = configFile()
    writeFileSync(path, '{"a":')
    await expect(file.load()).rejects.toThrow(ConfigFileError)
    await expect(file.load()).rejects.toThrow(/topics\.json: is damaged .*move both away/)
  })

  test('that was damaged does not push out the good .bak when it is written again', async () => {
    const { file, path } = configFile()
    writeFileSync(path, '{"a":')
    writeFileSync(`${path}.bak`, '{"a":1}')
    await file.load()
    await file.save('{"a":2}')
    expect(readFileSync(path, 'utf8')).toBe('{"a":2}')
    expect(readFileSync(`${path}.bak`, 'utf8')).toBe('{"a":1}')
    expect(readFileSync(`${path}.damaged`, 'utf8')).toBe('{"a":')
  })

  test('stays as it was when it cannot be written, and takes the next save', async () => {
    const { file, path } = configFile()
    await file.save('{"a":1}')
    mkdirSync(`${path}.tmp`)
    await expect(file.save('{"a":2}')).rejects.toThrow()
    expect(readFileSync(path, 'utf8')).toBe('{"a":1}')
  })

  test("reads Apache's unquoted number keys", async () => {
    const { file, path } = configFile()
    writeFileSync(path, '{"offsetTable":{"T@g":{0:3,1:5\n\t\t}}}')
    const table = (await file.load())?.get('offsetTable')
    expect(table).toEqual(
      new Map([
        [
          'T@g',
          new Map([
            ['0', 3],
            ['1', 5],
          ]),
        ],
      ]),
    )
  })
})
