import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { loadConfig } from '../../src/config/load.ts'
import { namesrvDeclaration } from '../../src/config/namesrv.ts'
import { LiveConfig } from '../../src/namesrv/live-config.ts'
import { namesrvConfig } from './open-namesrv.ts'

let folder: string
let file: string
let live: LiveConfig
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'live-'))
  file = join(folder, 'namesrv.properties')
  live = new LiveConfig(namesrvConfig(folder, {}))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a changed switch is in force and in the file', () => {
  expect(live.update('enableTopicList=false\nscanNotActiveBrokerInterval = 4000\n')).toEqual([])
  expect(live.current.enableTopicList).toBe(false)
  expect(live.current.scanNotActiveBrokerInterval).toBe(4000)
  const { config, warnings } = loadConfig(namesrvDeclaration, { file })
  expect(config.enableTopicList).toBe(false)
  expect(config.scanNotActiveBrokerInterval).toBe(4000)
  expect(warnings).toEqual([])
})

test('the rest of the file stays as it was, comments too', () => {
  writeFileSync(file, '# ours\nlistenPort=9876\nenableTopicList : true\n\n#enableTopicList=x\n')
  live.update('enableTopicList=false')
  const after = '# ours\nlistenPort=9876\n\n#enableTopicList=x\nenableTopicList=false\n'
  expect(readFileSync(file, 'utf8')).toBe(after)
  expect(readFileSync(`${file}.bak`, 'utf8')).toContain('enableTopicList : true')
})

test.each([
  'kvConfigPath',
  'configStorePath',
  'rocketmqHome',
  'configBlackList',
  'listenPort',
  'bindAddress',
  'maxConnections',
])('%s is not to be changed, and nothing beside it is', (key) => {
  const lines = `enableTopicList=false\n${key}=1\n`
  expect(() => live.update(lines)).toThrow(
    expect.objectContaining({
      codeName: 'NO_PERMISSION',
      message: expect.stringContaining(key) as string,
    }),
  )
  expect(live.current.enableTopicList).toBe(true)
})

test('a value that is not allowed is refused by name, and nothing beside it is changed', () => {
  expect(() => live.update('enableTopicList=false\nscanNotActiveBrokerInterval=soon')).toThrow(
    'scanNotActiveBrokerInterval=soon: allowed is a number',
  )
  expect(live.current.enableTopicList).toBe(true)
})

test('a key that is no setting of ours is passed over and named', () => {
  expect(live.update('defaultThreadPoolNums=4\n__proto__=1\n')).toEqual([
    'defaultThreadPoolNums',
    '__proto__',
  ])
})

test('its text is every setting, one a line, sorted', () => {
  const lines = live.text().trimEnd().split('\n')
  expect(lines).toContain('listenPort=9876')
  expect(lines).toContain(`kvConfigPath=${join(folder, 'kvConfig.json')}`)
  expect(lines).toEqual(lines.toSorted())
})
