import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { PushConsumer } from '../../../src/client/index.ts'
import { findFreePort } from '../../interop/free-ports.ts'
import { Random } from '../../sim/random.ts'
import { ServerProcess } from '../broker-process.ts'
import { createTopic } from '../messages.ts'
import { ChurnLedger, type ChurnCounts, type ChurnFaults } from './churn-ledger.ts'
import { ChurnProducer, type ProducerPlace } from './churn-producer.ts'
import { OrderlyMember, type OrderlyPlace } from './orderly-member.ts'

const SHARED = 'Shared'
const ORDERED = 'Ordered'
const QUEUES = 8
const ORDERED_QUEUES = 4
const BROKER = 'broker-a'
/** After the last kill everything acknowledged is to be consumed within this. */
const DRAIN_MS = 120_000

export interface ChurnOptions {
  seed: number
  seconds: number
  /** Between two kills of the broker. */
  killMs: number
  /** Between two changes: each time a producer, a consumer and an orderly member leave and others join. */
  changeMs: number
  members: number
  /** Between two messages of a producer. */
  pauseMs: number
}

export interface ChurnOutcome {
  kills: number
  changes: number
  shared: ChurnCounts
  ordered: ChurnCounts
  /** Sends that nobody answered for. */
  unanswered: number
  faults: ChurnFaults
}

/** Producers, consumers and orderly consumers come and go while the broker is killed again and again. */
export async function runChurn(options: ChurnOptions): Promise<ChurnOutcome> {
  const listenPort = await findFreePort()
  const nameServer = await ServerProcess.startNameServer({ listenPort })
  try {
    const run = new ChurnRun(options, `127.0.0.1:${listenPort}`, await findFreePort([1]))
    return await run.run()
  } finally {
    await nameServer.dispose()
  }
}

class ChurnRun {
  readonly #options: ChurnOptions
  readonly #random: Random
  readonly #ledger = new ChurnLedger()
  readonly #port: number
  readonly #nameServers: string
  readonly #producerPlace: ProducerPlace
  readonly #orderlyPlace: OrderlyPlace
  readonly #producers: ChurnProducer[] = []
  readonly #consumers: PushConsumer[] = []
  readonly #orderly: OrderlyMember[] = []
  #broker!: ServerProcess
  #names = 0
  #unanswered = 0
  #kills = 0
  #changes = 0
  #endAt = Infinity

  constructor(options: ChurnOptions, nameServers: string, port: number) {
    this.#options = options
    this.#random = new Random(options.seed)
    this.#nameServers = nameServers
    this.#port = port
    const topics = { sharedTopic: SHARED, orderedTopic: ORDERED, orderedQueues: ORDERED_QUEUES }
    this.#producerPlace = { nameServers, ...topics, brokerName: BROKER, pauseMs: options.pauseMs }
    this.#orderlyPlace = {
      port,
      topic: ORDERED,
      queues: ORDERED_QUEUES,
      group: 'churn-orderly',
      brokerName: BROKER,
    }
  }

  async run(): Promise<ChurnOutcome> {
    await this.#startBroker()
    try {
      const client = await this.#broker.connect()
      await createTopic(client, SHARED, { queues: QUEUES })
      await createTopic(client, ORDERED, { queues: ORDERED_QUEUES })
      client.close()
      for (let nth = 0; nth < this.#options.members; nth++) this.#join()
      this.#endAt = performance.now() + this.#options.seconds * 1000
      await Promise.all([this.#change(), this.#killAgainAndAgain()])
      await this.#drain()
      return this.#outcome()
    } finally {
      await this.#endAll()
      await this.#broker.dispose()
    }
  }

  #isOver(): boolean {
    return performance.now() >= this.#endAt
  }

  async #change(): Promise<void> {
    while (!this.#isOver()) {
      await pause(this.#options.changeMs)
      this.#changes++
      this.#join()
      await this.#leave()
    }
  }

  #join(): void {
    const name = `p${this.#names++}`
    this.#producers.push(new ChurnProducer(this.#producerPlace, name, this.#ledger))
    this.#consumers.push(this.#startConsumer(name))
    this.#orderly.push(new OrderlyMember(this.#orderlyPlace, name, this.#ledger))
  }

  #startConsumer(name: string): PushConsumer {
    const consumer = new PushConsumer({
      nameServers: this.#nameServers,
      group: 'churn-shared',
      instanceName: name,
      consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
      report: () => undefined, // that the broker is gone is what this is about
    })
    consumer.subscribe(SHARED)
    consumer.start(([message]) => {
      this.#ledger.share(name, SHARED, Buffer.from(message!.body).toString())
    })
    return consumer
  }

  async #leave(): Promise<void> {
    const [producer] = this.#producers.splice(this.#random.below(this.#producers.length), 1)
    const [consumer] = this.#consumers.splice(this.#random.below(this.#consumers.length), 1)
    const [member] = this.#orderly.splice(this.#random.below(this.#orderly.length), 1)
    await Promise.all([this.#retire(producer!), consumer!.close(), member!.leave()])
  }

  async #retire(producer: ChurnProducer): Promise<void> {
    await producer.leave()
    this.#unanswered += producer.failures
  }

  async #killAgainAndAgain(): Promise<void> {
    for (;;) {
      await pause(this.#options.killMs)
      if (this.#isOver()) return
      this.#ledger.life++
      this.#kills++
      await this.#broker.kill()
      await this.#startBroker(this.#broker.folder)
      this.#restartOrderly()
    }
  }

  /** Their connections are gone, and they with them. */
  #restartOrderly(): void {
    const count = this.#orderly.splice(0).length
    for (let nth = 0; nth < count; nth++) {
      this.#orderly.push(new OrderlyMember(this.#orderlyPlace, `o${this.#names++}`, this.#ledger))
    }
  }

  async #startBroker(folder?: string): Promise<void> {
    const settings = {
      listenPort: this.#port,
      namesrvAddr: this.#nameServers,
      brokerIP1: '127.0.0.1',
      brokerName: BROKER,
    }
    this.#broker = await ServerProcess.startBroker(settings, folder)
  }

  async #drain(): Promise<void> {
    await Promise.all(this.#producers.splice(0).map((producer) => this.#retire(producer)))
    const until = performance.now() + DRAIN_MS
    const isLeft = (): boolean => this.#ledger.missing(SHARED) + this.#ledger.missing(ORDERED) > 0
    while (isLeft() && performance.now() < until) await pause(100)
  }

  #outcome(): ChurnOutcome {
    for (const topic of [SHARED, ORDERED]) assert(this.#ledger.counts(topic).acknowledged > 0)
    return {
      kills: this.#kills,
      changes: this.#changes,
      shared: this.#ledger.counts(SHARED),
      ordered: this.#ledger.counts(ORDERED),
      unanswered: this.#unanswered,
      faults: this.#ledger.close([SHARED, ORDERED]),
    }
  }

  async #endAll(): Promise<void> {
    const producers = this.#producers.map((producer) => producer.leave())
    const consumers = this.#consumers.map((consumer) => consumer.close())
    const orderly = this.#orderly.map((member) => member.leave())
    await Promise.all([...producers, ...consumers, ...orderly])
  }
}
