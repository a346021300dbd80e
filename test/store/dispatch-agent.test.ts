import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../src/store/log-memory.ts'
import { Random } from '../sim/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { StoreRig, type RigOptions } from '../support/store-rig.ts'
import { tempFolder } from '../support/temp-folder.ts'

function rigOn(options: Partial<RigOptions> = {}): StoreRig {
  const rig = new StoreRig({ root: '/store', disk: new SimulatedDisk(new Random(1)), ...options })
  rig.createTopic('Topic', 2)
  return rig
}

function bodies(rig: StoreRig, topic = 'Topic', queueId = 0): string[] {
  return rig.readAll(topic, queueId).map((bytes) => bytes.toString('latin1', 88, 90))
}

function send(rig: StoreRig, body: string, topic = 'Topic'): void {
  rig.append({ topic, body })
  rig.write()
}

test('a message has its entry before anybody can see its offset', () => {
  const rig = rigOn()
  rig.append({ body: 'm0' })
  expect(rig.dispatchAgent.turn()).toBe(0) // not written yet
  rig.write()
  expect(rig.shared.rows.max(rig.row('Topic', 0))).toBe(0)
  expect(rig.dispatchAgent.turn()).toBe(1)
  expect(rig.shared.rows.max(rig.row('Topic', 0))).toBe(1)
  expect(bodies(rig)).toEqual(['m0'])
  expect(rig.shared.dispatched.value()).toBe(rig.shared.appended.value())
})

test('with SYNC_FLUSH a message is seen only when it is flushed', () => {
  const rig = rigOn({ isSyncFlush: true })
  send(rig, 'm0')
  rig.dispatch()
  expect(bodies(rig)).toEqual([])
  rig.flush()
  rig.dispatch()
  expect(bodies(rig)).toEqual(['m0'])
})

test('what has left the window is read from the files, whole files behind', () => {
  const rig = rigOn({ root: join(tempFolder(), 'store'), logFileSize: 5000 })
  const sent = Array.from({ length: 200 }, (_, nth) => String(nth).padStart(3, '0'))
  for (const body of sent) {
    send(rig, body)
    rig.flush()
  }
  rig.dispatch()
  const [first, last] = [rig.readAll('Topic', 0)[0]!, rig.readAll('Topic', 0)[199]!]
  expect([first, last].map((bytes) => bytes.toString('latin1', 88, 91))).toEqual(['000', '199'])
})

test('a message without queue entry takes no offset from those behind it', () => {
  const rig = rigOn()
  for (const sysFlag of [0, 0x4, 0xc, 0x8]) rig.append({ body: `m${sysFlag}`, sysFlag })
  rig.settle()
  expect(bodies(rig)).toEqual(['m0', 'm8'])
})

test('a topic is known before its first message, however late it was published', () => {
  const rig = rigOn()
  send(rig, 'm0')
  rig.createTopic('New', 1)
  send(rig, 'n0', 'New')
  rig.dispatch()
  expect(bodies(rig, 'New')).toEqual(['n0'])
})

describe('a topic that was deleted', () => {
  test('and made again gets none of the old messages', () => {
    const rig = rigOn()
    for (const body of ['a0', 'a1']) send(rig, body)
    rig.deleteTopic('Topic') // dispatch has not come to these messages yet
    rig.createTopic('Topic', 1)
    for (const body of ['b0', 'b1']) send(rig, body)
    rig.dispatch()
    expect(bodies(rig)).toEqual(['b0', 'b1'])
  })

  test('leaves those of other topics alone', () => {
    const rig = rigOn()
    rig.createTopic('Other', 1)
    send(rig, 'a0')
    send(rig, 'o0', 'Other')
    rig.dispatch()
    rig.deleteTopic('Topic')
    send(rig, 'o1', 'Other')
    rig.dispatch()
    rig.removeFiles('Topic')
    expect(bodies(rig, 'Other')).toEqual(['o0', 'o1'])
  })

  test('does not come back with the next start', () => {
    const disk = new SimulatedDisk(new Random(1))
    const rig = rigOn({ disk })
    rig.createTopic('Other', 1)
    for (const topic of ['Topic', 'Other']) send(rig, 'a0', topic)
    rig.dispatch()
    rig.deleteTopic('Topic')
    rig.dispatch()
    rig.removeFiles('Topic')
    rig.stop()
    for (const isClean of [true, false]) {
      const again = new StoreRig({ root: '/store', disk })
      expect(again.recovered.queues.map(({ topic }) => topic)).toEqual(['Other'])
      if (isClean) again.stop()
    }
  })
})

describe('when the disk', () => {
  test('is full, entries wait for space and nothing is lost or doubled', () => {
    const disk = new SimulatedDisk(new Random(1))
    const rig = rigOn({ disk, windowSize: 1 << 17, logFileSize: 1 << 17 })
    send(rig, 'm0')
    rig.dispatch()
    disk.refusal = { code: 'ENOSPC', path: 'consumequeue' }
    for (let nth = 1; nth < 600; nth++) rig.append({ body: `m${nth % 10}` }) // more than one lot
    rig.write()
    expect(rig.dispatchAgent.turn()).toBe(0)
    expect(rig.dispatchAgent.turn()).toBe(0)
    expect(rig.dispatchAgent.idleMs()).toBeLessThan(1000)
    expect(bodies(rig)).toEqual(['m0'])
    expect(rig.shared.fault()).toBe(Fault.NONE)
    disk.refusal = null
    rig.dispatch()
    expect(bodies(rig)).toEqual(Array.from({ length: 600 }, (_, nth) => `m${nth % 10}`))
    expect(rig.dispatchAgent.idleMs()).not.toBe(200)
  })

  test('breaks, sends are refused and reads go on', () => {
    const disk = new SimulatedDisk(new Random(1))
    const rig = rigOn({ disk })
    send(rig, 'm0')
    rig.dispatch()
    disk.refusal = { code: 'EIO', path: 'consumequeue' }
    send(rig, 'm1')
    expect(rig.dispatchAgent.turn()).toBe(0)
    expect(rig.shared.fault()).toBe(Fault.FENCED)
    expect(rig.dispatchAgent.idleMs()).toBe(Infinity)
    expect(bodies(rig)).toEqual(['m0'])
  })
})

test.each([1, 2, 3, 4])('a power failure after a clean stop takes no entry (seed %d)', (seed) => {
  const disk = new SimulatedDisk(new Random(seed))
  const rig = rigOn({ disk })
  for (let nth = 0; nth < 35; nth++) send(rig, `m${nth % 10}`) // four queue files
  rig.stop()
  disk.losePower()
  const again = new StoreRig({ root: '/store', disk, boot: 'second boot' })
  expect(again.recovered).toMatchObject({ isCut: false, damaged: 0 })
  expect(bodies(again).length).toBe(35)
})
