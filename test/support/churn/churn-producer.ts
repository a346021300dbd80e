import { setTimeout as pause } from 'node:timers/promises'
import { Producer } from '../../../src/client/index.ts'
import type { ChurnLedger } from './churn-ledger.ts'

const SEND_TIMEOUT_MS = 3000

export interface ProducerPlace {
  nameServers: string
  sharedTopic: string
  orderedTopic: string
  orderedQueues: number
  brokerName: string
  /** Between two messages of each topic. */
  pauseMs: number
}

/** Sends one message after the other until it is told to leave. A failed one is never sent again. */
export class ChurnProducer {
  readonly #place: ProducerPlace
  readonly #name: string
  readonly #ledger: ChurnLedger
  readonly #producer: Producer
  readonly #done: Promise<void>
  #isLeaving = false
  failures = 0

  constructor(place: ProducerPlace, name: string, ledger: ChurnLedger) {
    this.#place = place
    this.#name = name
    this.#ledger = ledger
    this.#producer = new Producer({
      nameServers: place.nameServers,
      group: 'churn-producers',
      retryCount: 0,
      sendTimeoutMs: SEND_TIMEOUT_MS,
      report: () => undefined, // that the broker is gone is what this is about
    })
    this.#producer.start()
    this.#done = this.#run()
  }

  async leave(): Promise<void> {
    this.#isLeaving = true
    await this.#done
    await this.#producer.close()
  }

  async #run(): Promise<void> {
    const { sharedTopic, orderedTopic, orderedQueues, brokerName, pauseMs } = this.#place
    const queueId = Number(/\d+/.exec(this.#name)![0]) % orderedQueues
    const queue = { topic: orderedTopic, brokerName, queueId }
    for (let sequence = 0; !this.#isLeaving; sequence++) {
      const text = `${this.#name}:${sequence}`
      await this.#send(sharedTopic, text)
      await this.#send(orderedTopic, text, queue)
      await pause(pauseMs)
    }
  }

  async #send(
    topic: string,
    text: string,
    queue?: { topic: string; brokerName: string; queueId: number },
  ) {
    try {
      await this.#producer.send({ topic, body: Buffer.from(text) }, { queue })
      this.#ledger.acknowledge(topic, text)
    } catch {
      this.failures++ // what became of it nobody knows
    }
  }
}
