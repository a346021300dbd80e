/**
 * Every write to the log takes 20 ms longer: how long do pulls of other connections take whose messages
 * are in memory?
 *
 *    node test/faults/slow-disk.ts [--seconds 10] [--out FILE]
 */
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import { ServerProcess, tempFolder } from '../support/broker-process.ts'
import { Ledger } from '../support/ledger.ts'
import { createTopic, maxOffset, messagesOf, pullHeader, sendTo } from '../support/messages.ts'
import { FaultRecord } from './fault-record.ts'
import { SendLanes } from './send-lanes.ts'

const LIMIT_MS = 5
const MIB = 1024 * 1024
/** A consumer at the end of its queue: these messages stay in the window. */
const HOT = 'Hot'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    out: { type: 'string', default: FaultRecord.pathOf('slow-disk') },
  },
})

const question = `with writes 20 ms slower, do pulls from memory keep a p99 below ${LIMIT_MS} ms?`
const record = new FaultRecord(values.out, question)
const results = []
for (const networkWorkers of [1, 2]) {
  const fast = await measure(networkWorkers, {})
  const folder = tempFolder()
  const written = join(folder, 'slow-writes')
  writeFileSync(written, '')
  const slow = await measure(networkWorkers, {
    NODE_OPTIONS: `--import ${fileURLToPath(new URL('slow-writes.ts', import.meta.url))}`,
    SLOW_WRITES: written,
  })
  results.push({ networkWorkers, slowWrites: statSync(written).size, fast, slow })
  rmSync(folder, { recursive: true })
}
record.write({ limitMs: LIMIT_MS, results })
const broken = results.filter(({ slow, slowWrites }) => slow.p99 > LIMIT_MS || slowWrites === 0)
record.say(`slow disk: ${JSON.stringify(results)}`, broken.length)

/** A broker under load, with `variables` in its environment. */
async function measure(networkWorkers: number, variables: Record<string, string>) {
  const settings = { networkWorkers, logWindowSize: 64 * MIB, mappedFileSizeCommitLog: 256 * MIB }
  const broker = await ServerProcess.startBroker(settings, tempFolder(), variables)
  try {
    const [producer, consumer] = [await broker.connect(), await broker.connect()]
    for (const topic of ['Load', HOT]) await createTopic(producer, topic)
    for (let nth = 0; nth < 32; nth++) await sendTo(producer, HOT)
    while ((await maxOffset(producer, HOT, 0)) < 32) continue
    const lanes = new SendLanes('Load', new Ledger(1))
    let isOver = false
    const load = lanes.run(producer, () => isOver)
    const times = await pullFor(consumer)
    isOver = true
    await load
    return times
  } finally {
    await broker.kill()
    await broker.dispose()
  }
}

/** One pull after the other; times in ms. */
async function pullFor(client: Awaited<ReturnType<ServerProcess['connect']>>) {
  const times: number[] = []
  const end = performance.now() + Number(values.seconds) * 1000
  while (performance.now() < end) {
    const startedAt = performance.now()
    const answer = await client.ask(PullMessage, pullHeader(HOT))
    if (messagesOf(answer).length === 0) throw new Error(`a pull answered ${answer.code}`)
    times.push(performance.now() - startedAt)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  times.sort((a, b) => a - b)
  const at = (share: number): number =>
    Math.round(times[Math.floor(times.length * share)]! * 100) / 100
  return { pulls: times.length, p50: at(0.5), p99: at(0.99), max: at(0.99999) }
}
