import { expect, test } from 'vitest'
import { Closing } from '../../src/store/closing.ts'
import { allocateLogMemory, LogShared, Thread } from '../../src/store/log-memory.ts'

function sharedOf(): { flush: LogShared; main: LogShared } {
  const memory = allocateLogMemory({ windowSize: 4096, slack: 64, threads: 4, rows: 1 })
  const main = new LogShared(memory, Thread.MAIN)
  main.start(0, { minPosition: 0, timestamp: 0 })
  return { main, flush: new LogShared(memory, Thread.FLUSH) }
}

test('a thread closes once for each deletion, and says so', () => {
  const { main, flush } = sharedOf()
  const closed: number[] = []
  const closing = new Closing(main, (position) => closed.push(position) > 0)
  closing.turn()
  flush.deletable.publish(100)
  closing.turn()
  closing.turn()
  expect(flush.closedBy(Thread.MAIN)).toBe(100)
  flush.deletable.publish(300)
  closing.turn()
  expect(closed).toEqual([100, 300])
})

test('while something is being read it says nothing, and tries again', () => {
  const { main, flush } = sharedOf()
  let isReading = true
  const closing = new Closing(main, () => !isReading)
  flush.deletable.publish(100)
  closing.turn()
  expect(flush.closedBy(Thread.MAIN)).toBe(0)
  isReading = false
  closing.turn()
  expect(flush.closedBy(Thread.MAIN)).toBe(100)
})
