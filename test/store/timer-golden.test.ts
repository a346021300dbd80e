/** Timer files that Apache's broker wrote (test/golden/store/timer), read and written back byte for byte. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { viewOf } from '../../src/base/bytes.ts'
import { encodeTimerCheck } from '../../src/store/timer-check.ts'
import { closeTimerFiles, openTimerFiles } from '../../src/store/timer-files.ts'
import { TimerRecovery } from '../../src/store/timer-recovery.ts'
import { newTimerUnit, readTimerUnit, writeTimerUnit } from '../../src/store/timer-unit.ts'
import { WHEEL_SLOTS, type TimerSlot } from '../../src/store/timer-wheel.ts'
import { unpackGolden } from '../support/golden-store.ts'
import { tempFolder } from '../support/temp-folder.ts'

const PLACE = { precisionMs: 1000, logFileSize: 5216, wheelSlots: WHEEL_SLOTS }
/** Tick, first and last unit, and how many. */
const SLOTS = [
  [1795453903, 0, 0, 1],
  [1795455398, 364, 364, 1],
  [1795455697, 208, 312, 3],
  [1795457498, 52, 52, 1],
  [1795461098, 104, 104, 1],
  [1795540298, 156, 156, 1],
]

const numbersOf = ({ tick, first, last, count }: TimerSlot) => [tick, first, last, count]

test('a unit is read and written as Apache does', () => {
  const root = unpackGolden('timer', tempFolder())
  const bytes = readFileSync(join(root, 'timerlog', '00000000000000000000'))
  const copy = Buffer.alloc(bytes.length)
  const unit = newTimerUnit()
  let count = 0
  for (; readTimerUnit(unit, viewOf(bytes), count * 52); count++) {
    writeTimerUnit(viewOf(copy), count * 52, unit)
  }
  expect(count).toBe(8)
  expect(copy.equals(bytes)).toBe(true)
})

test('wheel and check point say what they said to Apache, and a recovery changes no slot', async () => {
  const root = unpackGolden('timer', tempFolder())
  const wheelBefore = readFileSync(join(root, 'timerwheel'))
  const checkBefore = readFileSync(join(root, 'config', 'timercheck'))
  const files = openTimerFiles(systemDisk, { root, ...PLACE })
  const { last } = files.check
  expect(last).toMatchObject({ readMs: 1795453914000, logEnd: 416, queueOffset: 8, isOurs: false })
  expect(encodeTimerCheck(last, 1000).equals(checkBefore.subarray(0, 56))).toBe(true)
  const slots = [...files.wheel.all(0)].flat()
  expect(slots.map(numbersOf)).toEqual(SLOTS)
  const recovered = await new TimerRecovery({
    ...files,
    precisionMs: 1000,
    messagesEnd: 3395,
    rest: () => Promise.resolve(),
  }).run()
  // The first slot is over; the last unit is of the eighth message.
  expect(recovered).toEqual({ lastMessage: 2607, isWhole: true, pending: 7, firstTick: 1795455398 })
  expect(files.log.end).toBe(416)
  closeTimerFiles(files)
  expect(readFileSync(join(root, 'timerwheel')).equals(wheelBefore)).toBe(true)
})

test('a wheel that is lost is made anew from the timer log', async () => {
  const root = unpackGolden('timer', tempFolder())
  systemDisk.remove(join(root, 'timerwheel'))
  const files = openTimerFiles(systemDisk, { root, ...PLACE })
  const rest = () => Promise.resolve()
  await new TimerRecovery({ ...files, precisionMs: 1000, messagesEnd: 3395, rest }).run()
  expect([...files.wheel.all(0)].flat().map(numbersOf)).toEqual(SLOTS)
  closeTimerFiles(files)
})
