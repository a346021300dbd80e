import { compareQueues, compareText, type MessageQueue } from './message-queue.ts'

/**
 * The share of one member: every member of a group computes its own from the same two sorted lists,
 * and together they must cover each queue once. All members of a group have to use the same
 * allocation, whatever client they run.
 */
export type Allocation = (
  queues: readonly MessageQueue[],
  members: readonly string[],
  self: string,
) => MessageQueue[]

/**
 * Apache's AVG, the default of every client: one contiguous block each, the first members get one
 * queue more.
 */
export const allocateInBlocks: Allocation = (queues, members, self) => {
  const index = members.indexOf(self)
  if (index < 0) return []
  const share = Math.floor(queues.length / members.length)
  const extra = queues.length % members.length
  const start = index * share + Math.min(index, extra)
  return queues.slice(start, start + share + (index < extra ? 1 : 0))
}

/** Apache's AVG_BY_CIRCLE: dealt out like cards. */
export const allocateInCircle: Allocation = (queues, members, self) => {
  const index = members.indexOf(self)
  if (index < 0) return []
  return queues.filter((_, place) => place % members.length === index)
}

/**
 * Sorts both lists the way all members do, then allocates. A client that the broker does not list
 * owns nothing.
 */
export function shareOf(
  self: string,
  queues: readonly MessageQueue[],
  members: readonly string[],
  allocate: Allocation,
): MessageQueue[] {
  return allocate([...queues].sort(compareQueues), [...members].sort(compareText), self)
}
