import { expect, test } from 'vitest'
import { Speeds, StatsWindows } from '../../src/broker/stats-windows.ts'

const LOOK_MS = 10_000

test('the last minute is what was added between the newest look and the seventh before', () => {
  const windows = new StatsWindows()
  for (let look = 0; look <= 20; look++) windows.note(look * LOOK_MS, look * 100, look * 2)
  expect(windows.data().statsMinute).toEqual({ sum: 600, tps: 10, avgpt: 50 })
})

test('hours and days begin to count after ten minutes and an hour', () => {
  const windows = new StatsWindows()
  for (let look = 0; look < 60; look++) windows.note(look * LOOK_MS, look, look)
  expect(windows.data().statsHour.sum).toBe(0)
  for (let look = 60; look < 8 * 360; look++) windows.note(look * LOOK_MS, look, look)
  const { statsHour, statsDay } = windows.data()
  expect(statsHour).toEqual({ sum: 360, tps: 0.1, avgpt: 1 })
  expect(statsDay).toEqual({ sum: 7 * 360, tps: 0.1, avgpt: 1 })
})

test('a day keeps no more than 24 hours', () => {
  const windows = new StatsWindows()
  for (let look = 0; look < 40 * 360; look++) windows.note(look * LOOK_MS, look, look)
  expect(windows.data().statsDay.sum).toBe(24 * 360)
})

test('speeds of 10, 60 and 600 s are told as soon as they are known', () => {
  const speeds = new Speeds()
  const at = (look: number) => speeds.note(look * LOOK_MS, look < 10 ? 0 : (look - 9) * 70)
  at(0)
  expect(speeds.perSecond()).toEqual([])
  at(1)
  expect(speeds.perSecond()).toEqual([0])
  for (let look = 2; look <= 12; look++) at(look)
  expect(speeds.perSecond()).toEqual([7, 3.5])
  for (let look = 13; look <= 200; look++) at(look)
  expect(speeds.perSecond()).toEqual([7, 7, 7])
})
