import type { Handlers } from '../../net/handlers.ts'
import { BrokerStatsData } from '../../protocol/bodies/broker-stats.ts'
import { ViewBrokerStatsData } from '../../protocol/requests/diagnostics.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerStats } from '../broker-stats.ts'

export function registerStatsHandlers(handlers: Handlers, stats: Pick<BrokerStats, 'view'>): void {
  handlers.on(ViewBrokerStatsData, ({ statsName, statsKey }) => {
    const data = stats.view(statsName, statsKey)
    if (data !== null) return { body: BrokerStatsData.encode(data) }
    const remark = `The stats <${statsName}> <${statsKey}> not exist` // Apache's words
    throw new ResponseError('SYSTEM_ERROR', remark)
  })
}
