import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConfigFile } from '../../src/broker/config-json.ts'
import { ConsumerOffsets } from '../../src/broker/consumer-offsets.ts'
import { MemoryLog } from './memory-log.ts'
import { tempFolder } from '../support/temp-folder.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

async function loaded(folder = tempFolder()) {
  const path = join(folder, 'consumerOffset.json')
  const log = new MemoryLog()
  const file = new ConfigFile(path, log)
  const clock = { now: () => 1700 }
  const offsets = new ConsumerOffsets({ file, flushIntervalMs: 5000, clock, log })
  await offsets.load()
  return { offsets, path, folder, log }
}

describe('consumer offsets', () => {
  test('give back what a group committed, null where it never did', async () => {
    const { offsets } = await loaded()
    offsets.commit('g', 'T', 0, 5)
    expect(offsets.get('g', 'T', 0)).toBe(5)
    expect(offsets.get('g', 'T', 1)).toBeNull()
    expect(offsets.get('h', 'T', 0)).toBeNull()
  })

  test('may go back', async () => {
    const { offsets } = await loaded()
    offsets.commit('g', 'T', 0, 5)
    offsets.commit('g', 'T', 0, 2)
    expect(offsets.get('g', 'T', 0)).toBe(2)
  })

  test('are read from the file that Apache wrote', async () => {
    const folder = tempFolder()
    const text = `{
	"dataVersion":{"counter":7,"stateVersion":0,"timestamp":1795454087636},
	"groupTopicMap":{"SQL_g":["TopicBasic"],"CG_basic":["TopicBatch"]},
	"offsetTable":{
		"TopicBatch@CG_basic":{0:3,1:5
		},
		"TopicBasic@SQL_g":{0:0,1:0
		}
	}
}`
    writeFileSync(join(folder, 'consumerOffset.json'), text)
    const { offsets } = await loaded(folder)
    expect(offsets.get('CG_basic', 'TopicBatch', 1)).toBe(5)
    expect(offsets.get('SQL_g', 'TopicBasic', 1)).toBe(0)
    expect(offsets.dataVersion).toEqual({ counter: 7, stateVersion: 0, timestamp: 1795454087636 })
  })

  test('skip entries that make no sense instead of losing the rest', async () => {
    const folder = tempFolder()
    const table = '"T@g":{0:3,"x":1,1:-4,2:1.5,3:9223372036854775807},"noGroup":{0:1},"U@g":7'
    writeFileSync(join(folder, 'consumerOffset.json'), `{"offsetTable":{${table}}}`)
    const { offsets } = await loaded(folder)
    expect(offsets.queuesOf('g', 'T')).toEqual(new Map([[0, 3]]))
    expect(offsets.topicsOf('g')).toEqual(['T'])
  })

  test('are in the file after the interval, with quoted queue ids', async () => {
    const { offsets, path } = await loaded()
    offsets.commit('g', 'T', 0, 5)
    offsets.commit('g', 'T', 1, 6)
    await vi.advanceTimersByTimeAsync(4999)
    expect(existsSync(path)).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await vi.waitUntil(() => existsSync(path))
    const version = { counter: 0, stateVersion: 0, timestamp: 1700 }
    const offsetTable = { 'T@g': { 0: 5, 1: 6 } }
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ dataVersion: version, offsetTable })
  })

  test('have no timer while clean, nor when the same offset is committed again', async () => {
    const { offsets } = await loaded()
    expect(vi.getTimerCount()).toBe(0)
    offsets.commit('g', 'T', 0, 5)
    expect(vi.getTimerCount()).toBe(1)
    await offsets.close()
    offsets.commit('g', 'T', 0, 5)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('are all in the file after a stop, and come back', async () => {
    const { offsets, folder } = await loaded()
    offsets.commit('g', 'T', 3, 5)
    await offsets.close()
    const { offsets: again } = await loaded(folder)
    expect(again.get('g', 'T', 3)).toBe(5)
  })

  test('step their version every 500 commits', async () => {
    const { offsets } = await loaded()
    for (let offset = 1; offset <= 1000; offset++) offsets.commit('g', 'T', 0, offset)
    expect(offsets.dataVersion.counter).toBe(2)
  })

  test('of a deleted topic or group are gone', async () => {
    const { offsets } = await loaded()
    offsets.commit('g', 'T', 0, 1)
    offsets.commit('g', 'U', 0, 2)
    offsets.commit('h', 'T', 0, 3)
    offsets.removeTopic('T')
    expect(offsets.groupsOf('T')).toEqual([])
    expect(offsets.groupsOf('U')).toEqual(['g'])
    offsets.removeGroup('g')
    expect(offsets.topicsOf('g')).toEqual([])
  })
})
