import { expect, test } from 'vitest'
import { StoreLog } from '../../src/broker/store-log.ts'
import type { BrokerConfig } from '../../src/config/broker.ts'
import { allocateLogMemory, LogShared, Thread } from '../../src/store/log-memory.ts'

function logged(): { storeLog: StoreLog; lines: [object, string][]; clock: { time: number } } {
  const memory = allocateLogMemory({ windowSize: 4096, slack: 2048, threads: 4, rows: 1 })
  const lines: [object, string][] = []
  const log = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (fields: object, message: string) => void lines.push([fields, message]),
  }
  const clock = { time: 0, now: () => clock.time }
  const config = {} as BrokerConfig
  const storeLog = new StoreLog(new LogShared(memory, Thread.MAIN), config, log, clock)
  return { storeLog, lines, clock }
}

test('deletions that fail over and over do not fill the log of the broker', () => {
  const { storeLog, lines, clock } = logged()
  for (let nth = 0; nth < 1000; nth++) storeLog.onNews({ kind: 'notDeleted', error: 'EIO: no' })
  expect(lines.length).toBe(20)
  expect(lines[0]).toEqual([{ error: 'EIO: no' }, expect.stringContaining('tried again later')])
  clock.time += 10_000
  storeLog.onNews({ kind: 'notDeleted', error: 'EIO: no' })
  expect(lines.slice(20).map(([, message]) => message)).toEqual([
    expect.stringContaining('980 more problems'),
    expect.stringContaining('tried again later'),
  ])
})
