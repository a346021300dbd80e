/**
 * What must hold when a recovery itself is broken off, at any of its changes, by the death of the
 * process or by a power failure, as often as it pleases: the last one finds what one alone had found.
 */
import { describe, expect, test } from 'vitest'
import { Checkpoint, NO_TIMES } from '../../src/store/checkpoint.ts'
import { PRE_BLANK_LENGTH } from '../../src/store/consume-queue.ts'
import { Random } from '../sim/random.ts'
import { LogBuilder } from '../support/log-builder.ts'
import { readQueues, recoverFolder, type ReadQueue } from '../support/recovered-store.ts'
import { PowerFailure, SimulatedDisk } from '../support/simulated-disk.ts'

const FILE = 2048
const SIZES = { root: '/store', logFileSize: FILE, queueFileSize: 100 }

/** A log of five files whose last messages are damaged or cut off, and older queues, or none. */
function makeStore(disk: SimulatedDisk, random: Random): LogBuilder {
  const log = new LogBuilder({ fileSize: FILE })
  const add = (count: number): unknown =>
    log.addMany(count, (nth) => ({ queueId: nth % 2, body: 'x'.repeat(2 + random.below(40)) }))
  disk.makeDirectory('/store')
  add(20 + random.below(30))
  if (random.oneIn(2)) {
    log.write('/store/commitlog', { disk })
    recoverFolder({ ...SIZES, disk })
    disk.remove('/store/abort')
  }
  add(5 + random.below(30))
  if (random.oneIn(2)) {
    log.write('/store/commitlog', { disk }) // the queues know every message
    recoverFolder({ ...SIZES, disk })
    disk.remove('/store/abort')
    const ms = log.records.at(-1)!.storeTimestamp
    const checkpoint = new Checkpoint(disk, '/store')
    checkpoint.write({ ...NO_TIMES, physic: ms, logics: ms })
    checkpoint.close()
  }
  // After a clean stop only the last file is looked at.
  const last = log.end - (log.end % FILE)
  const late = log.records.filter(({ position }) => position >= last).slice(-12)
  const damaged = random.pick(late)
  // In its length, its magic, its position or its body: all of them are looked at.
  log.overwrite(damaged.position + random.pick([0, 4, 30, 88]), Buffer.from([0x99, 0x99]))
  log.write('/store/commitlog', { disk, isNextMade: random.oneIn(2) })
  return log
}

interface Found {
  end: number
  queues: ReadQueue[]
}

function recoverOn(disk: SimulatedDisk): Found {
  const { end, queues } = recoverFolder({ ...SIZES, disk })
  return { end, queues: readQueues(queues).map(withoutLastBlanks) }
}

/** The offset of a damaged message with none behind it in its queue may be given again. */
function withoutLastBlanks(queue: ReadQueue): ReadQueue {
  const count = queue.units.findLastIndex(([, length]) => length !== PRE_BLANK_LENGTH) + 1
  return { ...queue, units: queue.units.slice(0, count), next: queue.min + count }
}

describe.each(['kill', 'losePower'] as const)('a recovery broken off by %s', (how) => {
  test.each([false, true])('is finished by the next one (after a crash: %s)', (isAborted) => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = new Random(seed)
      const [once, often] = [new SimulatedDisk(random), new SimulatedDisk(random)]
      makeStore(once, new Random(seed))
      makeStore(often, new Random(seed))
      for (const disk of [once, often]) {
        if (isAborted) disk.writeFile('/store/abort', Buffer.from('1'))
        disk.syncAll()
      }
      const expected = recoverOn(once)
      expect(expected.queues.length).toBe(2)
      for (let attempt = 1; ; attempt++) {
        often.failAt = often.changes + random.below(10 * attempt)
        try {
          expect([seed, recoverOn(often)]).toEqual([seed, expected])
          break
        } catch (error) {
          if (!(error instanceof PowerFailure)) throw error
          often[how]()
        }
      }
    }
  })
})

describe.each(['kill', 'losePower'] as const)(
  'a recovery of which only the first changes are made (%s)',
  (how) => {
    test.each([false, true])(
      'is finished by the next one, whichever these are (after a crash: %s)',
      (isAborted) => {
        for (let seed = 1; seed <= 8; seed++) {
          let [made, all] = [0, 1]
          let expected: Found | null = null
          for (; made < all; made++) {
            const disk = new SimulatedDisk(new Random(seed + made))
            makeStore(disk, new Random(seed))
            if (isAborted) disk.writeFile('/store/abort', Buffer.from('1'))
            disk.syncAll()
            const before = disk.changes
            if (expected === null) {
              expected = recoverOn(disk)
              all = disk.changes - before
              continue
            }
            disk.failAt = before + made
            expect(() => recoverOn(disk)).toThrow(PowerFailure)
            disk[how]()
            expect([seed, made, recoverOn(disk)]).toEqual([seed, made, expected])
          }
        }
      },
    )
  },
)

test('a recovery closes every file that it opens', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const disk = new SimulatedDisk(new Random(seed))
    makeStore(disk, new Random(seed))
    disk.kill()
    recoverFolder({ ...SIZES, disk })
    expect(disk.openCount).toBe(0)
  }
})
