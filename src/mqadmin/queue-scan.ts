import type { MessageQueue, PullConsumer, ReceivedMessage } from '../client/index.ts'
import type { FilterExpression, PullStatus } from '../client/index.ts'
import type { GivenOptions } from './options.ts'
import { timeOption } from './time-option.ts'

/** The group that Apache's tools read as. */
export const TOOLS_GROUP = 'TOOLS_CONSUMER'

/** Apache's names of what came of a pull. */
const STATUSES: Readonly<Record<PullStatus, string>> = {
  FOUND: 'FOUND',
  NO_NEW_MESSAGE: 'NO_NEW_MSG',
  NO_MATCHED_MESSAGE: 'NO_MATCHED_MSG',
  OFFSET_MOVED: 'OFFSET_ILLEGAL',
}

/** Offsets from `min`, below `end`. */
export interface Span {
  min: number
  end: number
}

export interface ScanPage {
  messages: readonly ReceivedMessage[]
  /** By Apache's name. */
  status: string
  /** Where this page began. */
  offset: number
}

/** What the queue holds; of that what was stored in the time of the options, by their short names. */
export async function spanOf(
  consumer: PullConsumer,
  queue: MessageQueue,
  options: GivenOptions,
  [begin, end]: readonly [string, string],
): Promise<Span> {
  const { offsets } = consumer
  const [from, until] = [timeOption(options, begin), timeOption(options, end)]
  return {
    min: from === null ? await offsets.min(queue) : await offsets.search(queue, from),
    end: until === null ? await offsets.max(queue) : await offsets.search(queue, until),
  }
}

/** Reads a span of a queue, page by page. Pages without messages say why there are none. */
export async function* scan(
  consumer: PullConsumer,
  queue: MessageQueue,
  { min, end }: Span,
  filter: FilterExpression = '*',
): AsyncGenerator<ScanPage> {
  let offset = min
  while (offset < end) {
    const countMax = Math.min(32, end - offset)
    const { messages, status, nextOffset } = await consumer.pull(queue, {
      offset,
      countMax,
      filter,
    })
    const inside = messages.filter(({ queueOffset }) => queueOffset < end)
    yield { messages: inside, status: STATUSES[status], offset }
    if (status === 'NO_NEW_MESSAGE' || nextOffset <= offset) return
    offset = nextOffset
  }
}

/** `MessageQueue [topic=A, brokerName=b, queueId=0]` */
export function queueText({ topic, brokerName, queueId }: MessageQueue): string {
  return `MessageQueue [topic=${topic}, brokerName=${brokerName}, queueId=${queueId}]`
}
