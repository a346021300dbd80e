/** A broker as a process, whose log may take three files. */
import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodeOffsetMessageId } from '../../src/protocol/message-id.ts'
import { GetMinOffset } from '../../src/protocol/requests/offset.ts'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import type { ServerProcess, Settings } from '../support/broker-process.ts'
import { createTopic, maxOffset, pullHeader, readQueue, sendTo } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startBroker } from '../support/started-broker.ts'

const MIB = 1024 * 1024
const BODY = Buffer.alloc(16_000, 'b')

function start(settings: Settings = {}, folder?: string): Promise<ServerProcess> {
  const sizes = { mappedFileSizeCommitLog: MIB, mappedFileSizeConsumeQueue: 400 }
  return startBroker({ ...sizes, maxStoreBytes: '3MiB', ...settings }, folder)
}

async function minOffset(client: RawClient, topic: string): Promise<number> {
  const { reply } = await client.ask(GetMinOffset, { topic, queueId: 0 })
  return reply.offset!
}

function logFilesOf(broker: ServerProcess): string[] {
  return readdirSync(join(broker.store, 'commitlog'))
}

function openDeletedFiles({ pid }: ServerProcess): number {
  const targets = readdirSync(`/proc/${pid}/fd`).map((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`)
    } catch {
      return '' // closed meanwhile
    }
  })
  return targets.filter((target) => target.endsWith('(deleted)')).length
}

/** The file behind the one that is written is there. */
function isAhead(broker: ServerProcess, position: number): boolean {
  return Number(logFilesOf(broker).toSorted().at(-1)) > position
}

/** Sends until the first message of a topic is gone. */
async function sendUntilGone(client: RawClient, topic: string): Promise<void> {
  while ((await minOffset(client, topic)) === 0) {
    for (let nth = 0; nth < 20; nth++) await sendTo(client, 'Busy', {}, { body: BODY })
  }
}

test.each([1, 4])(
  'a consumer of deleted messages is told where to go on, and reads all that is left (%i workers)',
  async (networkWorkers) => {
    const broker = await start({ networkWorkers })
    const client = await broker.connect()
    await createTopic(client, 'Busy')
    await sendTo(client, 'Busy', {}, { body: BODY })
    await sendUntilGone(client, 'Busy')
    const { code, reply } = await client.ask(PullMessage, pullHeader('Busy'))
    expect(code).toBe(ResponseCode.PULL_OFFSET_MOVED)
    const from = reply.nextBeginOffset!
    expect(from).toBe(reply.minOffset)
    const end = await maxOffset(client, 'Busy', 0)
    const offsets = (await readQueue(client, 'Busy', { from, end })).map((each) => each.queueOffset)
    expect(offsets).toEqual(Array.from({ length: end - from }, (_, nth) => from + nth))
  },
)

test('the log never takes more files than it may, and no thread holds on to deleted ones', async () => {
  const broker = await start({ mappedFileSizeCommitLog: 4 * MIB, maxStoreBytes: '12MiB' })
  const client = await broker.connect()
  await createTopic(client, 'Busy')
  for (let nth = 0; nth < 1500; nth++) {
    const { msgId } = await sendTo(client, 'Busy', {}, { body: BODY })
    if (nth % 50 === 0) await client.ask(PullMessage, pullHeader('Busy'))
    expect(logFilesOf(broker).length).toBeLessThanOrEqual(3)
    // No faster than a disk lets anybody: half a file takes longer than a deletion.
    while (nth % 100 === 99 && !isAhead(broker, decodeOffsetMessageId(msgId).position))
      await minOffset(client, 'Busy')
  }
  await sendUntilGone(client, 'Busy')
  while (openDeletedFiles(broker) > 0) await minOffset(client, 'Busy')
})

test.each(['stop', 'kill'] as const)(
  'offsets of a queue whose messages are all gone go on after %s',
  async (how) => {
    const first = await start()
    const client = await first.connect()
    await createTopic(client, 'Quiet')
    await createTopic(client, 'Busy')
    for (let nth = 0; nth < 50; nth++) await sendTo(client, 'Quiet')
    await sendUntilGone(client, 'Quiet')
    expect(await minOffset(client, 'Quiet')).toBe(50)
    await first[how]()
    const second = await start({}, first.folder)
    const again = await second.connect()
    expect(await minOffset(again, 'Quiet')).toBe(50)
    expect(await maxOffset(again, 'Quiet', 0)).toBe(50)
    expect((await sendTo(again, 'Quiet')).queueOffset).toBe(50)
  },
)
