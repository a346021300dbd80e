import { ResetOffsetBody } from '../protocol/bodies/consumer-offset.ts'
import type { ConsumeStats } from '../protocol/bodies/consume-stats.ts'
import type { MessageQueue } from '../protocol/bodies/message-queue.ts'
import {
  GetMaxOffset,
  InvokeBrokerToResetOffset,
  SearchOffsetByTimestamp,
  UpdateConsumerOffset,
} from '../protocol/requests/offset.ts'
import type { Admin } from './admin.ts'
import { AdminError } from './command.ts'
import { consumeStats, isOffline } from './consumer-groups.ts'
import type { Output } from './output.ts'
import { cut } from './printf.ts'
import { mastersOf } from './topic-brokers.ts'
import { checkGroup } from './user-metadata.ts'

const ROW = '%-40s  %-40s  %-40s'
const OLD_ROW = '%-20s  %-20s  %-20s  %-20s  %-20s  %-20s'
/** Instead of a time: the end of the queue. */
export const END = -1

/** What is to be moved where. */
export interface Reset {
  group: string
  topic: string
  /** ms, or END. */
  timestamp: number
  cluster: string | null
}

/** Where a queue was for a group, and where it is to be. */
export interface Move extends MessageQueue {
  brokerOffset: number
  consumerOffset: number
  timestampOffset: number
}

/** The masters of a topic. Throws AdminError when the cluster has none of them. */
async function reachable(
  admin: Admin,
  { topic, cluster }: Pick<Reset, 'topic' | 'cluster'>,
): Promise<string[]> {
  const masters = await mastersOf(admin, topic, cluster)
  if (masters.length > 0) return masters
  const where = cluster === null ? 'no broker' : `no broker of cluster ${cluster}`
  throw new AdminError(`${topic} is on ${where} that can be reached`)
}

/** Resets on all masters, and prints where each queue is now. */
export async function resetEverywhere(admin: Admin, reset: Reset, out: Output): Promise<void> {
  const { topic, group, timestamp } = reset
  const moved: [MessageQueue, number][] = []
  const old: Move[] = []
  for (const address of await reachable(admin, reset)) {
    const header = { topic, group, queueId: -1, offset: -1, timestamp, isForce: true }
    try {
      const { body } = await admin.call(address, InvokeBrokerToResetOffset, header)
      moved.push(...ResetOffsetBody.decode(body).offsetTable.toSorted(byQueueId))
    } catch (error) {
      if (!isOffline(error)) throw error
      old.push(...(await resetOffline(admin, address, reset)))
    }
  }
  if (moved.length > 0 || old.length === 0) printMoved(moved, out)
  if (old.length > 0) printOld(old, out)
  out.data({
    ...reset,
    queues: [...moved.map(([queue, offset]) => ({ ...queue, offset })), ...old],
  })
}

function byQueueId([a]: [MessageQueue, number], [b]: [MessageQueue, number]): number {
  return a.queueId - b.queueId
}

/** Brokers before 5.0 only move groups that are online: the offsets of others are written one by one. */
async function resetOffline(admin: Admin, address: string, reset: Reset): Promise<Move[]> {
  const moves = await movesOn(admin, address, reset)
  for (const { topic, queueId, timestampOffset } of moves) {
    const header = { consumerGroup: reset.group, topic, queueId, commitOffset: timestampOffset }
    await admin.call(address, UpdateConsumerOffset, header)
  }
  return moves
}

/** What a reset would do. */
export async function plannedMoves(admin: Admin, reset: Reset): Promise<Move[]> {
  const masters = await reachable(admin, reset)
  await checkGroup(admin, reset.group, masters)
  const moves = await Promise.all(masters.map((address) => movesOn(admin, address, reset)))
  return moves.flat()
}

async function movesOn(
  admin: Admin,
  address: string,
  { group, topic, timestamp }: Reset,
): Promise<Move[]> {
  const { queues } = await consumeStats(admin, group, { topic, addresses: [address] })
  return Promise.all(
    queues.map(
      async ([queue, { brokerOffset, consumerOffset }]: ConsumeStats['offsetTable'][number]) => {
        const timestampOffset = await offsetAt(admin, address, { ...queue, timestamp })
        return { ...queue, brokerOffset, consumerOffset, timestampOffset }
      },
    ),
  )
}

/** Of the first message stored at or after a time. */
export async function offsetAt(
  admin: Admin,
  address: string,
  { topic, queueId, timestamp }: { topic: string; queueId: number; timestamp: number },
): Promise<number> {
  if (timestamp === END) {
    const header = { topic, queueId, committed: true }
    return (await admin.call(address, GetMaxOffset, header)).header.offset
  }
  const header = { topic, queueId, timestamp, boundaryType: 'LOWER' as const }
  return (await admin.call(address, SearchOffsetByTimestamp, header)).header.offset
}

function printMoved(moved: readonly [MessageQueue, number][], out: Output): void {
  out.head(ROW, '#brokerName', '#queueId', '#offset')
  for (const [{ brokerName, queueId }, offset] of moved) {
    out.row(ROW, cut(brokerName, 32), queueId, offset)
  }
}

export function printOld(moves: readonly Move[], out: Output): void {
  const heads = ['#brokerName', '#queueId', '#brokerOffset', '#consumerOffset', '#timestampOffset']
  out.head(OLD_ROW, ...heads, '#resetOffset')
  for (const { brokerName, queueId, brokerOffset, consumerOffset, timestampOffset } of moves) {
    const name = cut(brokerName, 32)
    out.row(OLD_ROW, name, queueId, brokerOffset, consumerOffset, timestampOffset, timestampOffset)
  }
}
