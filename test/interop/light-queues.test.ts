import { afterEach, expect, test } from 'vitest'
import { KIND_UNDER_TEST, type ServerKind } from './broker-process.ts'
import { Cluster, describeInterop } from './cluster.ts'

/** Small files, so that queues and log have several. */
const SETTINGS = {
  enableLmq: true,
  enableMultiDispatch: true,
  mappedFileSizeCommitLog: 16 * 1024,
  mappedFileSizeConsumeQueue: 20 * 30,
  maxMessageSize: 4096,
}
const COUNT = 80
const LIGHT = '%LMQ%one,%LMQ%two;%LMQ%one'

/** Who has the store, and how the one before ended. */
const HANDS: [ServerKind, 'stopBroker' | 'killBroker' | null][] = [
  [KIND_UNDER_TEST, null],
  ['apache', 'killBroker'],
  [KIND_UNDER_TEST, 'killBroker'],
  ['apache', 'stopBroker'],
]

describeInterop('light queues', () => {
  let cluster: Cluster | null = null
  afterEach(() => cluster?.dispose())

  test('of one store go on with either broker, after a clean stop and after kill -9', async () => {
    cluster = await Cluster.start({ kind: KIND_UNDER_TEST, settings: SETTINGS })
    for (const [round, [kind, end]] of HANDS.entries()) {
      if (end !== null) {
        await cluster[end]()
        await cluster.startBroker(kind)
      }
      const first = round * COUNT
      await cluster.complete('Produce', { topic: 'Parent', first, count: COUNT, light: LIGHT })
      await expectThere(cluster, first + COUNT)
    }
  })

  test('a pull of one that is new waits for its first message', async () => {
    cluster = await Cluster.start({ settings: SETTINGS })
    await cluster.complete('Produce', { topic: 'Parent', count: 1 })
    const pull = cluster.run('Pull', { topic: 'Parent', light: '%LMQ%new', follow: true })
    await pull.until('waiting')
    await cluster.complete('Produce', { topic: 'Parent', first: 1, count: 1, light: '%LMQ%new' })
    await pull.untilCount('message', 1)
    expect(pull.of('message').map(({ number }) => number)).toEqual([1])
    await pull.kill()
  })
})

/** Every message stands in one of them, every other one in both. */
async function expectThere(cluster: Cluster, count: number): Promise<void> {
  const pull = await cluster.complete('Pull', { topic: 'Parent', light: '%LMQ%one,%LMQ%two' })
  const whole = { queueId: 0, minOffset: 0 }
  expect(pull.of('queue')).toMatchObject([
    { ...whole, maxOffset: count },
    { ...whole, maxOffset: count / 2 },
  ])
  const numbers = Array.from({ length: count }, (_, number) => number)
  const both = numbers.filter((number) => number % 2 === 0)
  expect(pull.of('message').map(({ number }) => number)).toEqual([...numbers, ...both])
}
