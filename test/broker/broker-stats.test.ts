import { onTestFinished, expect, test } from 'vitest'
import { BrokerStats } from '../../src/broker/broker-stats.ts'
import { statsInfo } from '../../src/broker/stats-info.ts'
import {
  allocateCounters,
  CounterReader,
  WorkerCounters,
} from '../../src/broker/worker-counters.ts'
import { HandClock } from './open-broker.ts'

/** A broker's queues as numbers, one row a topic. */
function open(messages: Record<string, number>) {
  const memory = allocateCounters(16)
  const counters = new CounterReader([memory])
  const clock = new HandClock()
  const worker = new WorkerCounters(memory, { turn: clock, clock }, (pair) =>
    counters.addPair(0, pair),
  )
  const rowOf = (topic: string) => topic.length % 16
  const stats = new BrokerStats({
    counters,
    clock,
    clusterName: 'C',
    topics: () => Object.keys(messages),
    queuesOf: (topic) => ({ rows: [rowOf(topic)], messages: messages[topic]! }),
  })
  onTestFinished(() => stats.close())
  const look = () => {
    clock.time += 10_000
    stats.sample()
  }
  return { stats, counters, worker, clock, messages, look }
}

test('puts of a topic are what its queues grew by since the start', () => {
  const { stats, worker, messages, look } = open({ T: 1000, Other: 5 })
  messages.T! += 20
  worker.addPut({ row: 1, count: 20, length: 4000, position: 0 })
  look()
  expect(stats.view('TOPIC_PUT_NUMS', 'T')?.statsMinute).toEqual({ sum: 20, tps: 2, avgpt: 1 })
  expect(stats.view('TOPIC_PUT_SIZE', 'T')?.statsMinute).toEqual({
    sum: 4000,
    tps: 400,
    avgpt: 200,
  })
  expect(stats.view('BROKER_PUT_NUMS', 'C')?.statsMinute.sum).toBe(20)
  expect(stats.view('TOPIC_PUT_NUMS', 'Other')).toBeNull()
  expect(stats.view('TOPIC_PUT_LATENCY', 'T')).toBeNull()
})

test('a topic that was deleted is forgotten, its messages still count for the broker', () => {
  const { stats, messages, look } = open({ T: 0, Other: 0 })
  messages.T = 7
  look()
  delete messages.T
  look()
  expect(stats.view('TOPIC_PUT_NUMS', 'T')).toBeNull()
  expect(stats.totals().puts).toBe(7)
  messages.T = 2
  look()
  expect(stats.view('TOPIC_PUT_NUMS', 'T')?.statsMinute.sum).toBe(2)
})

test('gets are told by topic and group', () => {
  const { stats, worker, look } = open({})
  worker.addFound(worker.pair('G', 'T'), 30, 600)
  look()
  expect(stats.view('GROUP_GET_NUMS', 'T@G')?.statsMinute).toEqual({ sum: 30, tps: 3, avgpt: 30 })
  expect(stats.view('GROUP_GET_SIZE', 'T@G')?.statsMinute.sum).toBe(600)
  expect(stats.view('BROKER_GET_NUMS', 'C')?.statsMinute.sum).toBe(30)
})

test('at midnight today becomes yesterday', () => {
  const { stats, messages, clock, look } = open({ T: 0 })
  messages.T = 5
  look()
  clock.time = new Date(clock.time).setHours(24, 0, 1, 0)
  look()
  expect(stats.mornings()).toEqual({ today: { puts: 5, gets: 0 }, yesterday: { puts: 0, gets: 0 } })
  messages.T = 8
  clock.time = new Date(clock.time).setHours(24, 0, 1, 0)
  look()
  expect(stats.mornings()).toEqual({ today: { puts: 8, gets: 0 }, yesterday: { puts: 5, gets: 0 } })
})

test('the table has the formats that exporters parse', () => {
  const { stats, counters, worker, clock, messages, look } = open({ T: 0 })
  messages.T = 5
  worker.addPut({ row: 1, count: 5, length: 501, position: 0 })
  clock.time += 3
  worker.endPuts(Infinity)
  look()
  const info = Object.fromEntries(statsInfo(stats, counters))
  expect(info).toMatchObject({
    putTps: expect.stringMatching(/^0\.4\d+$/),
    getTotalTps: '0.0',
    msgPutTotalTodayNow: '5',
    putMessageTimesTotal: '5',
    putMessageAverageSize: '100.2',
    putMessageEntireTimeMax: '3',
    putLatency99: '10.00',
    putMessageDistributeTime:
      '[<=0ms]:0 [0~10ms]:5 [10~50ms]:0 [50~100ms]:0 [100~200ms]:0 [200~500ms]:0 [500ms~1s]:0 [1~2s]:0 [2~3s]:0 [3~4s]:0 [4~5s]:0 [5~10s]:0 [10s~]:0 ',
  })
})
