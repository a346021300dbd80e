import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { LiveConfig } from '../../src/broker/live-config.ts'
import { brokerDeclaration } from '../../src/config/broker.ts'
import { loadConfig } from '../../src/config/load.ts'
import { MemoryLog } from './memory-log.ts'
import { tempFolder } from '../support/temp-folder.ts'

function open(content: string | null = 'brokerName=a\nfileReservedTime=72\n') {
  const file = join(tempFolder(), 'broker.conf')
  if (content !== null) writeFileSync(file, content)
  const source = content === null ? {} : { file }
  const { config } = loadConfig(brokerDeclaration, source)
  const told: object[] = []
  const live = new LiveConfig(config, {
    clock: { now: () => 1000 },
    disk: systemDisk,
    log: new MemoryLog(),
    ...(content === null ? {} : { file }),
    onChange: (changes) => told.push(changes),
  })
  return { live, file, told }
}

test('a change is in force at once, told to all threads and kept in the file', () => {
  const { live, file, told } = open()
  const { current } = live
  const { changes, notKept } = live.update('fileReservedTime=48\nlongPollingEnable=false\n')
  expect(changes).toEqual({ fileReservedTime: 48, longPollingEnable: false })
  expect([current.fileReservedTime, current.longPollingEnable]).toEqual([48, false])
  expect(told).toEqual([changes])
  expect(notKept).toBeNull()
  expect(readFileSync(file, 'utf8')).toBe(
    'brokerName=a\nfileReservedTime=48\nlongPollingEnable=false\n',
  )
  expect(live.version.counter).toBe(1)
})

test.each([
  [
    'storePathRootDir=/etc',
    'NO_PERMISSION',
    'storePathRootDir cannot be changed at run time, only',
  ],
  ['rocketmqHome=/tmp/x', 'NO_PERMISSION', 'rocketmqHome cannot be changed'],
  ['namesrvAddr=10.0.0.1:9876', 'NO_PERMISSION', 'namesrvAddr cannot be changed'],
  ['listenPort=1', 'NO_PERMISSION', 'listenPort cannot be changed'],
  ['fileReservedTim=1', 'SYSTEM_ERROR', 'there is no setting fileReservedTim, did you mean'],
  ['enableDetailStat=true', 'SYSTEM_ERROR', "is a setting of Apache's that RingMQ lacks"],
  ['fileReservedTime=soon', 'SYSTEM_ERROR', 'fileReservedTime=soon: allowed is a number from 0'],
  ['maxStoreBytes=1', 'SYSTEM_ERROR', 'maxStoreBytes=1: allowed is 0, or at least'],
])('%s is refused, and with it what stands beside it', (line, codeName, message) => {
  const { live, file, told } = open()
  const before = readFileSync(file, 'utf8')
  let thrown: unknown
  try {
    live.update(`deleteWhen=05\n${line}\n`)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toMatchObject({ codeName, message: expect.stringContaining(message) })
  expect(live.current.deleteWhen).toBe('04')
  expect(told).toEqual([])
  expect(readFileSync(file, 'utf8')).toBe(before)
})

test('a setting that has the value already is no change, whichever it is', () => {
  const { live, told } = open()
  expect(live.update('flushDiskType=ASYNC_FLUSH\nbrokerName=a').changes).toEqual({})
  expect(told).toEqual([])
  expect(live.version.counter).toBe(0)
})

test('without a file, or one that cannot be written, the change is in force until the restart', () => {
  const { live } = open(null)
  expect(live.update('deleteWhen=05').notKept).toContain('started without -c')
  const gone = open()
  rmSync(gone.file)
  expect(gone.live.update('deleteWhen=05').notKept).toContain(gone.file)
  expect(gone.live.current.deleteWhen).toBe('05')
})
