import { expect, test } from 'vitest'
import { ListenerPool } from '../../src/client/listener-pool.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('no more listeners run at a time than there are slots', async () => {
  const pool = new ListenerPool(3)
  let running = 0
  let most = 0
  const slots = new Set<number>()
  for (let index = 0; index < 5000; index++) {
    pool.submit(async (slot) => {
      slots.add(slot)
      most = Math.max(most, ++running)
      if (index % 100 === 0) await turn()
      running--
    })
  }
  await pool.settled()
  expect(most).toBe(3)
  expect(slots).toEqual(new Set([1, 2, 3]))
})

test('waiting listeners run in the order they came', async () => {
  const pool = new ListenerPool(1)
  const seen: number[] = []
  for (let index = 0; index < 100; index++) {
    pool.submit(async () => {
      await turn()
      seen.push(index)
    })
  }
  await pool.settled()
  expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => index))
})

test('clearing forgets what has not started and lets the rest finish', async () => {
  const pool = new ListenerPool(1)
  const seen: string[] = []
  pool.submit(async () => {
    await turn()
    seen.push('started')
  })
  pool.submit(async () => void seen.push('waiting'))
  pool.clear()
  await pool.settled()
  expect(seen).toEqual(['started'])
  pool.submit(async () => void seen.push('later'))
  await pool.settled()
  expect(seen).toEqual(['started', 'later'])
})
