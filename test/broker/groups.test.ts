import { readFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { groupConfig } from '../../src/broker/groups.ts'
import { openBroker } from './open-broker.ts'
import { tempFolder } from '../support/temp-folder.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

describe('subscription groups', () => {
  test("of a new broker are Apache's system groups", async () => {
    const { groups, metadata } = await openBroker()
    expect([...groups.all.keys()].toSorted()).toEqual([
      'CID_ONS-HTTP-PROXY',
      'CID_ONSAPI_OWNER',
      'CID_ONSAPI_PERMISSION',
      'CID_ONSAPI_PULL',
      'CID_RMQ_SYS_TRANS',
      'FILTERSRV_CONSUMER',
      'SELF_TEST_C_GROUP',
      'TOOLS_CONSUMER',
    ])
    expect([...metadata.groups.keys()]).toEqual([...groups.all.keys()])
  })

  test("are created on their first use with Apache's defaults", async () => {
    const { groups, metadata } = await openBroker()
    const group = await groups.findOrCreate('g')
    expect(group).toMatchObject({
      groupName: 'g',
      consumeEnable: true,
      consumeBroadcastEnable: true,
      consumeFromMinEnable: true,
      retryMaxTimes: 16,
      retryQueueNums: 1,
      brokerId: 0,
      whichBrokerWhenConsumeSlowly: 1,
      groupRetryPolicy: { type: 'CUSTOMIZED' },
    })
    expect(metadata.groups.get('g')).toBe(group)
    expect(groups.dataVersion.counter).toBe(1)
  })

  test('are created once for all who use them at once', async () => {
    const { groups } = await openBroker()
    const found = await Promise.all([1, 2, 3].map(() => groups.findOrCreate('g')))
    expect(new Set(found).size).toBe(1)
    expect(groups.dataVersion.counter).toBe(1)
  })

  test.each(['a b', '', 'g'.repeat(256)])('are not created by the name %j', async (name) => {
    const { groups } = await openBroker()
    expect(await groups.findOrCreate(name)).toBeNull()
  })

  test('are not created when that is turned off, except system groups', async () => {
    const { groups } = await openBroker({ autoCreateSubscriptionGroup: 'false' })
    expect(await groups.findOrCreate('g')).toBeNull()
    expect(await groups.findOrCreate('CID_RMQ_SYS_x')).not.toBeNull()
    expect(await groups.findOrCreate('TOOLS_CONSUMER')).not.toBeNull()
  })

  test('come back after a crash, with all their settings', async () => {
    const broker = await openBroker()
    const group = {
      ...groupConfig('g'),
      consumeEnable: false,
      groupRetryPolicy: {
        type: 'EXPONENTIAL' as const,
        exponentialRetryPolicy: { initial: 5000, max: 7_200_000, multiplier: 2 },
      },
      subscriptionDataSet: [{ topic: 'T', expression: 'a', expressionType: 'TAG', version: 3 }],
    }
    await broker.groups.put(group)
    const again = await openBroker({}, broker.folder)
    expect(again.groups.get('g')).toEqual(group)
    expect(again.metadata.groups.get('g')).toEqual(group)
  })

  test('that are deleted are gone, for the workers too', async () => {
    const broker = await openBroker()
    await broker.groups.put(groupConfig('g'))
    expect(await broker.groups.delete('g')).toBe(true)
    expect(await broker.groups.delete('g')).toBe(false)
    expect(broker.metadata.groups.has('g')).toBe(false)
    expect((await openBroker({}, broker.folder)).groups.get('g')).toBeUndefined()
  })

  test("keep what Apache's broker forbade", async () => {
    const folder = tempFolder()
    mkdirSync(join(folder, 'config'))
    const path = join(folder, 'config', 'subscriptionGroup.json')
    writeFileSync(path, '{"forbiddenTable":{"g":{"T":4}},"subscriptionGroupTable":{}}')
    const broker = await openBroker({}, folder)
    await broker.groups.put(groupConfig('g'))
    await broker.close()
    const json = JSON.parse(readFileSync(path, 'utf8'))
    expect(json.forbiddenTable).toEqual({ g: { T: 4 } })
    expect(json.subscriptionGroupTable.g.groupName).toBe('g')
  })

  test('that cannot be read stop the start, and nothing is written over them', async () => {
    const folder = tempFolder()
    mkdirSync(join(folder, 'config'))
    const path = join(folder, 'config', 'subscriptionGroup.json')
    const text = '{"subscriptionGroupTable":{"g":{"groupName":"g","retryMaxTimes":"often"}}}'
    writeFileSync(path, text)
    await expect(openBroker({}, folder)).rejects.toThrow(/subscriptionGroup.json: g.retryMaxTimes/)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(() => readFileSync(join(folder, 'config', 'topics.json'))).toThrow(/ENOENT/)
  })
})
