import { BrokerStatsData } from '../protocol/bodies/broker-stats.ts'
import { ViewBrokerStatsData } from '../protocol/requests/diagnostics.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { Admin } from './admin.ts'

/** Messages a second, and of the last 24 hours. */
export interface Flow {
  tps: number
  day: number
}

/** Of all brokers. One that has counted nothing yet says so with an error. */
export async function flowOf(
  admin: Admin,
  addresses: readonly string[],
  header: { statsName: string; statsKey: string },
): Promise<Flow> {
  const flows = await Promise.all(
    addresses.map(async (address): Promise<Flow> => {
      try {
        const { body } = await admin.call(address, ViewBrokerStatsData, header)
        const { statsMinute, statsHour, statsDay } = BrokerStatsData.decode(body)
        // Before a day is over only the smaller windows have counts (Apache 5.3.3, compute24HourSum).
        return { tps: statsMinute.tps, day: statsDay.sum || statsHour.sum || statsMinute.sum }
      } catch (error) {
        if (error instanceof ResponseError) return { tps: 0, day: 0 }
        throw error
      }
    }),
  )
  return {
    tps: flows.reduce((sum, { tps }) => sum + tps, 0),
    day: flows.reduce((sum, { day }) => sum + day, 0),
  }
}
