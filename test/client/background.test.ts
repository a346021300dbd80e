import { expect, test } from 'vitest'
import { Background } from '../../src/client/background.ts'

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

test('stopping ends every sleep at once and leaves no timer', async () => {
  const background = new Background(() => {})
  const before = timers() // the test runner's own
  const day = 24 * 3600 * 1000
  const slept = Promise.all([background.sleep(day), background.sleep(day)])
  background.every(day, 'never', () => Promise.reject(new Error('ran')))
  background.stop()
  await slept
  await background.settled()
  await background.sleep(day)
  expect(timers()).toBe(before)
})

test('a repeated job survives its failures, and they are reported', async () => {
  const problems: string[] = []
  const background = new Background((problem, error) =>
    problems.push(`${problem}: ${String(error)}`),
  )
  await new Promise<void>((resolve) => {
    let turns = 0
    background.every(0, 'heartbeat', () => {
      if (++turns === 3) resolve()
      return Promise.reject(new Error(`turn ${turns}`))
    })
  })
  background.stop()
  await background.settled()
  expect(problems.slice(0, 2)).toEqual(['heartbeat: Error: turn 1', 'heartbeat: Error: turn 2'])
})

test('what stopping interrupts is not reported', async () => {
  const problems: unknown[] = []
  const background = new Background((problem) => problems.push(problem))
  background.run('pull', async () => {
    await background.sleep(1e6)
    throw new Error('the connection is closed')
  })
  background.stop()
  await background.settled()
  expect(problems).toEqual([])
})

test('settled waits for the jobs that run', async () => {
  const background = new Background(() => {})
  let finish = () => {}
  let isDone = false
  background.run('job', async () => {
    await new Promise<void>((resolve) => (finish = resolve))
    isDone = true
  })
  background.stop()
  setImmediate(finish)
  await background.settled()
  expect(isDone).toBe(true)
})
