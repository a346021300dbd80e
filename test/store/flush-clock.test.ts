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
