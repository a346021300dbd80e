import { expect, test } from 'vitest'
import { StoreRig } from '../support/store-rig.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { Random } from '../sim/random.ts'

test('what is written does not wait for a clock that was set back', () => {
  const disk = new SimulatedDisk(new Random(1))
  const rig = new StoreRig({ root: '/store', disk, flushIntervalMs: 500 })
  rig.createTopic('Topic', 1)
  rig.append({})
  rig.write()
  rig.flushAgent.turn()
  rig.clock.time -= 3_600_000
  rig.flushAgent.turn()
  expect(rig.flushAgent.idleMs()).toBeLessThanOrEqual(500)
  rig.clock.time += 500
  rig.flushAgent.turn()
  expect(rig.shared.flushed.value()).toBe(rig.shared.written.value())
})

test('less than flushCommitLogLeastPages waits for flushCommitLogThoroughInterval', () => {
  const disk = new SimulatedDisk(new Random(1))
  const times = { flushIntervalMs: 500, leastPages: 2, thoroughMs: 10_000 }
  const rig = new StoreRig({ root: '/store', disk, logFileSize: 65_536, ...times })
  rig.createTopic('Topic', 1)
  const { flushed, written } = rig.shared
  const write = (bytes: number) => {
    rig.append({ body: 'b'.repeat(bytes) })
    rig.write()
  }
  const turnAfter = (ms: number) => {
    rig.clock.time += ms
    rig.flushAgent.turn()
  }
  write(100)
  turnAfter(0)
  turnAfter(500)
  expect(flushed.value()).toBe(0)
  for (let nth = 0; nth < 6; nth++) write(1400) // over two pages more
  turnAfter(499)
  expect(flushed.value()).toBe(0)
  turnAfter(1)
  expect(flushed.value()).toBe(written.value())
  const before = written.value()
  write(100)
  turnAfter(0)
  for (let ms = 0; ms < 9500; ms += 500) turnAfter(500)
  expect(flushed.value()).toBe(before)
  turnAfter(500)
  expect(flushed.value()).toBe(written.value())
})

test('a log file that is full is synced at once', () => {
  const disk = new SimulatedDisk(new Random(1))
  const times = { flushIntervalMs: 500, leastPages: 4, thoroughMs: 10_000 }
  const rig = new StoreRig({ root: '/store', disk, ...times })
  rig.createTopic('Topic', 1)
  while (rig.shared.written.value() <= 4096) {
    rig.append({ body: 'b'.repeat(1000) })
    rig.write()
  }
  rig.flushAgent.turn()
  expect(rig.shared.flushed.value()).toBe(rig.shared.written.value())
})
