import { homedir } from 'node:os'

import { expect, test } from 'vitest'

import { apacheNamesrvKeys } from '../../src/config/apache-keys.ts'
import { loadConfig } from '../../src/config/load.ts'
import { namesrvDeclaration } from '../../src/config/namesrv.ts'

test("every key but our own is one of Apache's", () => {
  const settings = Object.entries(namesrvDeclaration.settings)
  const ofApache = settings.filter(([, { own }]) => !own).map(([key]) => key)
  expect(ofApache.filter((key) => !apacheNamesrvKeys().has(key))).toEqual([])
})

test('the name server listens on 9876 and keeps its files in ~/namesrv', () => {
  const { config } = loadConfig(namesrvDeclaration)
  expect(config.listenPort).toBe(9876)
  expect(config.kvConfigPath).toBe(`${homedir()}/namesrv/kvConfig.json`)
  expect(config.configStorePath).toBe(`${homedir()}/namesrv/namesrv.properties`)
})

test('the file of the official Helm chart is accepted, with a warning', () => {
  const { warnings } = loadConfig(namesrvDeclaration, { overrides: { defaultThreadPoolNums: '4' } })
  expect(warnings).toEqual([
    "argument: defaultThreadPoolNums=4 is not honoured by RingMQ's name server",
  ])
})
