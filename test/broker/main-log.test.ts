import { expect, test } from 'vitest'
import { MainLog } from '../../src/broker/main-log.ts'
import type { MessageDraft } from '../../src/broker/message-draft.ts'
import { Fault, Shortage } from '../../src/store/log-memory.ts'
import type { QueueRows } from '../../src/store/queue-rows.ts'
import { SmallLog } from '../store/small-log.ts'

const DISK = {
  storePathCommitLog: '/log',
  storePathRootDir: '/store',
  diskSpaceWarningLevelRatio: 90,
}
const DRAFT: MessageDraft = {
  topic: 'T',
  queueId: 0,
  flag: 0,
  sysFlag: 0,
  bornTimestamp: 0,
  bornHost: Buffer.alloc(8),
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  properties: Buffer.alloc(0),
  body: Buffer.from('b'),
}

function open() {
  const { shared, appender, writer } = new SmallLog()
  const log = new MainLog({
    shared,
    appender,
    light: null,
    writer,
    rows: { row: () => 0 } as unknown as QueueRows,
    storeHost: Buffer.alloc(8),
    appendMax: 200,
    isSyncFlush: false,
    disk: DISK,
    timeoutMs: 1000,
  })
  return { log, shared }
}

test('what the broker itself stores is refused like a send while the disk is too full', async () => {
  const { log, shared } = open()
  shared.publishDiskPercent(91, 91)
  shared.setShortage(Shortage.OVER_LEVEL, true)
  await expect(log.append(DRAFT)).rejects.toMatchObject({
    codeName: 'SERVICE_NOT_AVAILABLE',
    message: expect.stringContaining('the disk of /log is 91 % full'),
  })
  shared.setShortage(Shortage.OVER_LEVEL, false)
  expect(await log.append(DRAFT)).toMatchObject({ position: 0, queueOffset: 0 })
})

test('each message is told why it was not stored: a failed write, or a broker that stops', async () => {
  const { log, shared } = open()
  shared.setFault(Fault.FENCED)
  await expect(log.append(DRAFT)).rejects.toThrow(/a write or flush failed/)
  log.close()
  await expect(log.append(DRAFT)).rejects.toThrow(/the broker stops/)
})
