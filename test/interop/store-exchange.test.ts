import { afterEach, expect, test } from 'vitest'
import { KIND_UNDER_TEST } from './broker-process.ts'
import type { ServerKind } from './broker-process.ts'
import { expectDense, expectExactlyOnce } from './checks.ts'
import { Cluster, describeInterop } from './cluster.ts'
import type { Sent } from './client-program.ts'
import type { JavaProgram } from './java-program.ts'

/** Small files, so that each round rolls the log, consume queues and the index a few times. */
const SETTINGS = {
  mappedFileSizeCommitLog: 1024 * 1024,
  mappedFileSizeConsumeQueue: 20 * 200,
  maxHashSlotNum: 500,
  maxIndexNum: 2000,
}

/** Every so many messages one is looked for by key. */
const SAMPLE = 237

const ENDINGS: ['stopBroker' | 'killBroker', string][] = [
  ['stopBroker', 'a clean stop'],
  ['killBroker', 'kill -9'],
]

const PRODUCERS: { topic: string; count: number; [option: string]: string | number | boolean }[] = [
  {
    topic: 'Mixed',
    count: 1200,
    threads: 8,
    tags: 'Aa,BB,',
    keys: true,
    bodyLengths: '20,300,2000,9000',
  },
  { topic: 'Batched', count: 1000, batch: 20, tags: 'x,y,z', keys: true },
]

describeInterop('one store, opened in turn by us and by Apache', () => {
  let cluster: Cluster | null = null
  afterEach(() => cluster?.dispose())

  test.each(ENDINGS)(
    'keeps every message at its offset after %s (%s)',
    async (end) => {
      const hands: ServerKind[] = [KIND_UNDER_TEST, 'apache', KIND_UNDER_TEST, 'apache']
      cluster = await Cluster.start({ kind: KIND_UNDER_TEST, settings: SETTINGS })
      const sent: Sent[][] = PRODUCERS.map(() => [])
      for (const [round, kind] of hands.entries()) {
        if (round > 0) await cluster.startBroker(kind)
        await expectStored(cluster, sent)
        await expectFound(cluster, sent)
        await appendRound(cluster, sent, round)
        if (round < hands.length - 1) await cluster[end]()
      }
      await expectStored(cluster, sent)
      await expectFound(cluster, sent)
    },
    300_000,
  )
})

/** All topics at once: what was sent so far is there, and nothing else. */
async function expectStored(cluster: Cluster, sent: Sent[][]): Promise<void> {
  const written = PRODUCERS.filter((_, index) => (sent[index] ?? []).length > 0)
  const pulls = await Promise.all(written.map(({ topic }) => cluster.complete('Pull', { topic })))
  for (const [index, pull] of pulls.entries()) {
    expectExactlyOnce(pull.of('message'), sent[index] ?? [])
    expectDense(pull)
  }
}

/** Some messages of each round are found by key and by id, whoever stored and indexed them. */
async function expectFound(cluster: Cluster, sent: Sent[][]): Promise<void> {
  const admin = await cluster.admin()
  for (const [index, { topic, batch }] of PRODUCERS.entries()) {
    const messages = sent[index] ?? []
    for (let nth = 0; nth < messages.length; nth += SAMPLE) {
      const { number, queueId, offset, crc, offsetMessageId } = messages[nth]!
      const expected = [{ queueId, offset, crc }]
      expect(await find(admin, `byKey ${topic} key-${number}`)).toEqual(expected)
      if (batch !== undefined) continue // Apache's broker gives all of a batch one unique key
      expect(await find(admin, `byUniqueKey ${topic} ${offsetMessageId}`)).toEqual(expected)
    }
  }
  await admin.stop()
}

/** Asks again while nothing is found: an index that was lost is made anew while the broker runs. */
async function find(admin: JavaProgram, command: string) {
  for (;;) {
    const answer = await admin.ask(command).catch((error: unknown) => {
      if (!String(error).includes('no message')) throw error
      return null
    })
    if (answer !== null) return answer.messages
  }
}

async function appendRound(cluster: Cluster, sent: Sent[][], round: number): Promise<void> {
  const producers = PRODUCERS.map((options) =>
    cluster.complete('Produce', { ...options, first: round * options.count }),
  )
  for (const [index, producer] of (await Promise.all(producers)).entries()) {
    sent[index]?.push(...producer.of('sent'))
  }
}
