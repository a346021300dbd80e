import type { Handlers } from '../../net/handlers.ts'
import { QueryMessage, ViewMessageById } from '../../protocol/requests/query.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import type { MessageQueries as AllQueries } from '../message-queries.ts'

type Queries = Pick<AllQueries, 'byKey' | 'at'>

/** Queries that run at once; each reads files, bit by bit. */
const RUNNING_MAX = 64

export function registerQueryHandlers(
  handlers: Handlers,
  { config }: Pick<BrokerContext, 'config'>,
  queries: Queries,
): void {
  let running = 0
  const bounded = async <T>(query: () => Promise<T>): Promise<T> => {
    if (running >= RUNNING_MAX) {
      throw new ResponseError('SYSTEM_BUSY', `${RUNNING_MAX} queries are running, try later`)
    }
    running++
    try {
      return await query()
    } finally {
      running--
    }
  }
  handlers
    .on(QueryMessage, (header) => bounded(() => queryMessage(header, config, queries)))
    .on(ViewMessageById, ({ offset }) => bounded(() => viewMessage(offset, queries)))
}

/** Codes and remarks as Apache 5.3.3 answers, QueryMessageProcessor. */
async function queryMessage(
  header: QueryMessage,
  config: BrokerContext['config'],
  queries: Queries,
) {
  const { topic, key, beginTimestamp: begin, endTimestamp: end } = header
  const wanted = header.uniqueKeyQuery === true ? config.defaultQueryMaxNum : header.maxNum
  const max = Math.min(wanted, config.maxMsgsNumBatch)
  const answer = await queries.byKey({ topic, key, max, begin, end })
  const reply = {
    indexLastUpdateTimestamp: answer.lastTimestamp,
    indexLastUpdatePhyoffset: answer.lastPosition,
  }
  if (answer.records.length > 0) return { header: reply, body: Buffer.concat(answer.records) }
  const remark = 'can not find message, maybe time range not correct'
  return { code: 'QUERY_NOT_FOUND' as const, remark, header: reply }
}

async function viewMessage(offset: number, queries: Queries) {
  const body = await queries.at(offset)
  if (body !== null) return { body }
  throw new ResponseError('SYSTEM_ERROR', `can not find message by the offset, ${offset}`)
}
