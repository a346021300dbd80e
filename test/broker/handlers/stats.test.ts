import { expect, test } from 'vitest'
import { registerStatsHandlers } from '../../../src/broker/handlers/stats.ts'
import { BrokerStatsData } from '../../../src/protocol/bodies/broker-stats.ts'
import { ViewBrokerStatsData } from '../../../src/protocol/requests/diagnostics.ts'
import { bytesText } from '../../../src/broker/store-info.ts'
import { ask, openBroker } from '../open-broker.ts'

const NONE = { sum: 0, tps: 0, avgpt: 0 }

test('VIEW_BROKER_STATS_DATA answers with three windows, or that there is no such thing', async () => {
  const broker = await openBroker()
  const data = { statsDay: NONE, statsHour: NONE, statsMinute: { sum: 20, tps: 0.5, avgpt: 1 } }
  registerStatsHandlers(broker.handlers, {
    view: (name, key) => (name === 'TOPIC_PUT_NUMS' && key === 'T' ? data : null),
  })
  const found = await ask(broker, ViewBrokerStatsData, {
    statsName: 'TOPIC_PUT_NUMS',
    statsKey: 'T',
  })
  expect(BrokerStatsData.decode(found.body)).toEqual(data)
  const missing = await ask(broker, ViewBrokerStatsData, { statsName: 'NO', statsKey: 'T' })
  expect([missing.code, missing.remark]).toEqual([1, 'The stats <NO> <T> not exist'])
})

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [6349, '6.2 KiB'],
  [270_583_291_904, '252.0 GiB'],
])('%d bytes are shown as %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})
