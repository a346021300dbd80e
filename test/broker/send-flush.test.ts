/** Sends whose answer waits for the disk. Flush happens when a test says so. */
import { renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodeBatch } from '../../src/protocol/batch-body.ts'
import { SendBatchMessage, SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { logFileName } from '../../src/store/log-files.ts'
import { Fault, Shortage } from '../../src/store/log-memory.ts'
import { properties, readQueue, sendHeader, sendTo } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { SteppedBroker } from '../support/stepped-broker.ts'

const SYNC = { flushDiskType: 'SYNC_FLUSH' }
const BODY = Buffer.from('body')

/** Everything that the worker had to say to what was sent before has come when this is over. */
async function settled(client: RawClient): Promise<void> {
  const answer = await client.ask(SendMessageV2, sendHeader('a b'))
  expect(answer.code).toBe(ResponseCode.SYSTEM_ERROR)
}

test('with SYNC_FLUSH a send is answered once its record is flushed, not before', async () => {
  const broker = await SteppedBroker.open(SYNC)
  broker.addTopic('T')
  const client = await broker.connect()
  const sent = [1, 2, 3].map(() => client.send(SendMessageV2, sendHeader('T'), { body: BODY }))
  await settled(client)
  expect(client.received).toHaveLength(1)
  expect(broker.shared.written.value()).toBe(broker.shared.appended.value())
  broker.flushAgent.turn()
  const replies = await Promise.all(sent.map((opaque) => client.replyTo(opaque)))
  expect(replies.map(({ code }) => code)).toEqual([0, 0, 0])
  expect(replies.map(({ extFields }) => extFields!.get('queueOffset'))).toEqual(['0', '1', '2'])
  expect(client.received.slice(1).map(({ opaque }) => opaque)).toEqual(sent)
})

test('a send with WAIT=false waits for no flush, nor do those before it leave with it', async () => {
  const broker = await SteppedBroker.open(SYNC)
  broker.addTopic('T')
  const client = await broker.connect()
  const patient = client.send(SendMessageV2, sendHeader('T'), { body: BODY })
  const { queueOffset } = await sendTo(client, 'T', { properties: properties({ WAIT: 'false' }) })
  expect(queueOffset).toBe(1)
  await settled(client)
  expect(client.received.map(({ opaque }) => opaque)).not.toContain(patient)
  broker.flushAgent.turn()
  expect((await client.replyTo(patient)).extFields!.get('queueOffset')).toBe('0')
})

test('a send that waits does not hold up one of another connection', async () => {
  const broker = await SteppedBroker.open(SYNC)
  broker.addTopic('T')
  const [one, other] = [await broker.connect(), await broker.connect()]
  const waiting = one.send(SendMessageV2, sendHeader('T'), { body: BODY })
  await settled(one)
  await sendTo(other, 'T', { properties: properties({ WAIT: 'false' }) })
  expect(one.received.map(({ opaque }) => opaque)).not.toContain(waiting)
})

describe.each([0, 1] as const)('in time, serialize type %i', (serializeType) => {
  test('a send that is not flushed is answered FLUSH_DISK_TIMEOUT, with the header of an OK', async () => {
    const broker = await SteppedBroker.open({ ...SYNC, syncFlushTimeout: '1' })
    broker.addTopic('T', 4)
    const client = await broker.connect()
    client.serializeType = serializeType
    const send = () => client.ask(SendMessageV2, sendHeader('T', { queueId: 3 }), { body: BODY })
    const [late, later] = await Promise.all([send(), send()])
    expect(late.code).toBe(ResponseCode.FLUSH_DISK_TIMEOUT)
    expect(late.serializeType).toBe(serializeType)
    expect(late.flag).toBe(1)
    expect(late.reply).toMatchObject({ queueId: 3, queueOffset: 0, region: 'DefaultRegion' })
    expect(late.reply.msgId).toMatch(/^7F00000100002A9F0{16}$/)
    expect(later.reply.queueOffset).toBe(1)
    broker.flushAgent.turn()
    const third = client.send(SendMessageV2, sendHeader('T'), { body: BODY })
    expect((await client.replyTo(third)).code).toBe(ResponseCode.FLUSH_DISK_TIMEOUT)
    expect(client.received).toHaveLength(3)
  })

  test('so is a batch, with all its ids', async () => {
    const broker = await SteppedBroker.open({ ...SYNC, syncFlushTimeout: '1' })
    broker.addTopic('T')
    const client = await broker.connect()
    client.serializeType = serializeType
    const item = { flag: 0, body: BODY, properties: properties({ UNIQ_KEY: 'k' }) }
    const body = encodeBatch([item, item, item])
    const { code, reply } = await client.ask(SendBatchMessage, sendHeader('T'), { body })
    expect(code).toBe(ResponseCode.FLUSH_DISK_TIMEOUT)
    expect(reply.queueOffset).toBe(0)
    expect(reply.msgId!.split(',')).toHaveLength(3)
  })
})

test('a late reply and those before and behind it leave in order, each once', async () => {
  const broker = await SteppedBroker.open({ ...SYNC, syncFlushTimeout: '1' })
  broker.addTopic('T')
  const client = await broker.connect()
  const sent: number[] = []
  for (let lot = 0; lot < 20; lot++) {
    const frames = Array.from({ length: 50 }, () => {
      const { opaque, bytes } = client.frame(SendMessageV2, sendHeader('T'), { body: BODY })
      sent.push(opaque)
      return bytes
    })
    client.write(Buffer.concat(frames))
    if (lot % 3 === 0) await client.replyTo(sent.at(-1)!)
    if (lot % 2 === 0) broker.flushAgent.turn()
  }
  broker.flushAgent.turn()
  const replies = await Promise.all(
    sent.filter((_, nth) => client.received.length <= nth).map((opaque) => client.replyTo(opaque)),
  )
  expect(replies.length).toBeGreaterThan(0)
  const offsets = new Map(
    client.received.map(({ opaque, extFields }) => [opaque, Number(extFields!.get('queueOffset'))]),
  )
  expect(client.received).toHaveLength(1000)
  expect(sent.map((opaque) => offsets.get(opaque))).toEqual([...Array(1000).keys()])
})

test('a one-way that is not flushed in time is not answered, either', async () => {
  const broker = await SteppedBroker.open({ ...SYNC, syncFlushTimeout: '1' })
  broker.addTopic('T')
  const client = await broker.connect()
  client.send(SendMessageV2, sendHeader('T'), { body: BODY, oneway: true })
  const answered = await client.ask(SendMessageV2, sendHeader('T'), { body: BODY })
  expect(answered.code).toBe(ResponseCode.FLUSH_DISK_TIMEOUT)
  expect(client.received).toHaveLength(1)
})

test('replies that were flushed for a connection that is gone bother nobody', async () => {
  const broker = await SteppedBroker.open(SYNC)
  broker.addTopic('T')
  const [one, other] = [await broker.connect(), await broker.connect()]
  one.send(SendMessageV2, sendHeader('T'), { body: BODY })
  await settled(one)
  one.close()
  const waiting = other.send(SendMessageV2, sendHeader('T'), { body: BODY })
  await settled(other)
  broker.flushAgent.turn()
  expect((await other.replyTo(waiting)).extFields!.get('queueOffset')).toBe('1')
})

test('sends that met a full disk are answered when it has room, others are refused until then', async () => {
  const broker = await SteppedBroker.open()
  broker.addTopic('T')
  broker.addGroup('consumers')
  const client = await broker.connect()
  const file = join(broker.logDirectory, logFileName(0))
  renameSync(file, `${file}.real`)
  symlinkSync('/dev/full', file) // the worker opens it now: every write says ENOSPC
  const waiting = client.send(SendMessageV2, sendHeader('T'), { body: BODY })
  await settled(client)
  const refused = await client.ask(SendMessageV2, sendHeader('T'), { body: BODY })
  expect(refused.code).toBe(ResponseCode.SERVICE_NOT_AVAILABLE)
  expect(refused.remark).toContain("the broker's disk is full")
  expect(client.received.map(({ opaque }) => opaque)).not.toContain(waiting)
  rmSync(file)
  renameSync(`${file}.real`, file)
  broker.flushAgent.turn() // opens the real one, and writes what is there
  expect((await client.replyTo(waiting)).code).toBe(0)
  broker.dispatch()
  expect(await readQueue(client, 'T', { end: 1 })).toHaveLength(1)
})

test('a send that a full disk keeps waiting for too long is answered with an error', async () => {
  const broker = await SteppedBroker.open({ syncFlushTimeout: '1' })
  broker.addTopic('T')
  const client = await broker.connect()
  const file = join(broker.logDirectory, logFileName(0))
  rmSync(file)
  symlinkSync('/dev/full', file)
  const { code, remark } = await client.ask(SendMessageV2, sendHeader('T'), { body: BODY })
  expect(code).toBe(ResponseCode.SYSTEM_ERROR)
  expect(remark).toBe('the message could not be written in time')
})

test('beyond the warning level a send is told which disk, how full, and which key decides', async () => {
  const broker = await SteppedBroker.open()
  broker.addTopic('T')
  const client = await broker.connect()
  const send = () => client.ask(SendMessageV2, sendHeader('T'), { body: BODY })
  broker.shared.publishDiskPercent(91, 40)
  broker.shared.setShortage(Shortage.OVER_LEVEL, true)
  const { code, remark } = await send()
  expect(code).toBe(ResponseCode.SERVICE_NOT_AVAILABLE)
  expect(remark).toContain("the broker's disk is full [CL: 0.91 CQ: 0.40 INDEX: 0.40]")
  expect(remark).toContain(
    `the disk of ${broker.logDirectory} is 91 % full, more than diskSpaceWarningLevelRatio=90`,
  )
  broker.shared.setShortage(Shortage.OVER_LEVEL, false)
  expect((await send()).code).toBe(0)
})

test('behind a fence no send is taken', async () => {
  const broker = await SteppedBroker.open()
  broker.addTopic('T')
  const client = await broker.connect()
  broker.shared.setFault(Fault.FENCED)
  const { code, remark } = await client.ask(SendMessageV2, sendHeader('T'), { body: BODY })
  expect(code).toBe(ResponseCode.SERVICE_NOT_AVAILABLE)
  expect(remark).toContain('until it is restarted')
})

test('a worker that is told to stop first answers what waits for the disk', async () => {
  const broker = await SteppedBroker.open(SYNC)
  broker.addTopic('T')
  const client = await broker.connect()
  const waiting = client.send(SendMessageV2, sendHeader('T'), { body: BODY })
  await settled(client)
  const stopped = broker.stop()
  broker.flushAgent.turn()
  expect((await client.replyTo(waiting)).code).toBe(0)
  await stopped
  await client.closed
})
