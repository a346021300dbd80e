import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { monotonicClock, type Clock } from '../base/clock.ts'
import type { TopicConfig } from '../protocol/bodies/topic-config.ts'
import { decodeMessage, MessageError } from '../protocol/message.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { Thread, type LogShared } from '../store/log-memory.ts'
import type { DedupParts } from './dedup.ts'
import type { StoredAt } from './dedup-window.ts'
import { keptKey } from './kept-key.ts'
import type { Metadata } from './metadata.ts'
import type { QueueStore } from './queue-store.ts'

interface KeyParts {
  store: Pick<QueueStore, 'maxOffset' | 'offsetByTime'>
  /** The stored bytes; null when they cannot be read (any more). */
  messageAt: (topic: string, queueId: number, queueOffset: number) => Buffer | null
  shared: LogShared
  metadata: Metadata
  clock: Clock
}

/** A part of one queue: from an offset to one behind the last. */
interface Range {
  queueId: number
  from: number
  to: number
}

/** Dispatch has this long to come to the end of the log; a send waits for it. */
const DISPATCH_MS = 10_000
const POLL_MS = 2
/** Messages that are read in one turn of the event loop: a few ms from the page cache. */
const READS = 256
/** The time is halved so often to find the newest messages that are few enough. */
const HALVINGS = 32

/** Reads the keys of a topic's messages back from its queues. */
export function storedKeys(parts: KeyParts): DedupParts['storedSince'] {
  return async (topic, since, max) => {
    await parts.metadata.applied() // from now on no worker stores anything there by itself
    await untilDispatched(parts.shared, parts.shared.appended.value())
    const offsets = (await newest(parts, topic, { since, max })).flatMap(eachOffset)
    const found: [string, StoredAt][] = []
    for (const [nth, at] of offsets.entries()) {
      if (nth % READS === READS - 1) await nextTurn()
      const read = keyAt(parts, topic.topicName, at)
      if (read !== null) found.push(read)
    }
    return found.toSorted(([, one], [, other]) => one.position - other.position)
  }
}

async function untilDispatched(shared: LogShared, end: number): Promise<void> {
  const deadline = monotonicClock.now() + DISPATCH_MS
  while (shared.dispatched.value() < end) {
    if (monotonicClock.now() > deadline) {
      const why = 'the messages of the topic are not all in its queues yet'
      throw new ResponseError(
        'SYSTEM_BUSY',
        `[PC_SYNCHRONIZED]broker busy, start flow control for a while: ${why}`,
      )
    }
    shared.signalOf(Thread.DISPATCH).wake()
    await pause(POLL_MS)
  }
}

/** All since then; when they are more than `max`, all of a later time. */
async function newest(
  parts: KeyParts,
  topic: TopicConfig,
  { since, max }: { since: number; max: number },
): Promise<Range[]> {
  const now = parts.clock.now()
  let from = since
  for (let nth = 0; ; nth++) {
    const ranges = await rangesSince(parts, topic, from)
    const count = ranges.reduce((sum, range) => sum + range.to - range.from, 0)
    if (count <= max) return ranges
    if (nth === HALVINGS) return ranges.map((range) => shortened(range, max / ranges.length))
    from = Math.ceil((from + now) / 2)
  }
}

async function rangesSince(
  { store }: KeyParts,
  { topicName, readQueueNums, writeQueueNums }: TopicConfig,
  since: number,
): Promise<Range[]> {
  const ranges: Range[] = []
  for (let queueId = 0; queueId < Math.max(readQueueNums, writeQueueNums); queueId++) {
    const to = store.maxOffset(topicName, queueId) ?? 0
    const from = await store.offsetByTime(topicName, queueId, since, 'LOWER')
    if (from < to) ranges.push({ queueId, from, to })
  }
  return ranges
}

function shortened({ queueId, from, to }: Range, count: number): Range {
  return { queueId, from: Math.max(from, to - Math.floor(count)), to }
}

function eachOffset({ queueId, from, to }: Range): { queueId: number; queueOffset: number }[] {
  return Array.from({ length: to - from }, (_, nth) => ({ queueId, queueOffset: from + nth }))
}

/** Null: it has none, or cannot be read. */
function keyAt(
  { messageAt }: KeyParts,
  topic: string,
  { queueId, queueOffset }: { queueId: number; queueOffset: number },
): [string, StoredAt] | null {
  const bytes = messageAt(topic, queueId, queueOffset)
  if (bytes === null) return null
  try {
    const { properties, position, length, storeTimestamp, ...message } = decodeMessage(bytes)
    const key = properties.get(MessageProperty.UNIQ_KEY)
    if (key === undefined || message.topic !== topic) return null
    return [
      keptKey(key),
      { queueId, queueOffset, position, end: position + length, storeTimestamp },
    ]
  } catch (error) {
    if (error instanceof MessageError) return null // damaged on the disk
    throw error
  }
}
