import type { MessageQueue } from './message-queue.ts'
import type { OffsetStore } from './offset-store.ts'

/** Where a group begins in a queue that it never committed an offset of. */
export type ConsumeFrom =
  | 'CONSUME_FROM_LAST_OFFSET'
  | 'CONSUME_FROM_FIRST_OFFSET'
  /** Milliseconds since 1970: at the first message stored then or later. */
  | { readonly timestamp: number }

/** Throws what the broker answers: the queue must not be read from a guess. */
export async function startOffset(
  offsets: OffsetStore,
  queue: MessageQueue,
  from: ConsumeFrom,
): Promise<number> {
  const committed = await offsets.committed(queue)
  if (committed !== null) return committed
  // 0 is below the first message once old ones are deleted: the broker then says where to go on.
  if (from === 'CONSUME_FROM_FIRST_OFFSET') return 0
  const isRetry = queue.topic.startsWith('%RETRY%')
  if (from === 'CONSUME_FROM_LAST_OFFSET') return isRetry ? 0 : offsets.max(queue)
  return isRetry ? offsets.max(queue) : offsets.search(queue, from.timestamp)
}
