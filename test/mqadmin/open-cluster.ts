import { beforeAll, afterAll } from 'vitest'
import { runMqadmin } from '../../src/mqadmin/run.ts'
import { SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { type OpenNamesrv, openNamesrv } from '../namesrv/open-namesrv.ts'
import { ServerProcess, type Settings } from '../support/broker-process.ts'
import { createTopic, readQueue, sendHeader } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'

/** What a command line printed, and how it ended. */
export interface Ran {
  code: number
  stdout: string
  stderr: string
}

/** A name server, and a broker that is registered with it. */
export class Cluster {
  readonly namesrv: OpenNamesrv
  readonly broker: ServerProcess
  readonly #clients: RawClient[] = []

  private constructor(namesrv: OpenNamesrv, broker: ServerProcess) {
    this.namesrv = namesrv
    this.broker = broker
  }

  static async open(settings: Settings = {}): Promise<Cluster> {
    const namesrv = await openNamesrv()
    const broker = await ServerProcess.startBroker({
      namesrvAddr: namesrv.address,
      brokerIP1: '127.0.0.1',
      ...settings,
    })
    return new Cluster(namesrv, broker)
  }

  get brokerAddress(): string {
    return `127.0.0.1:${this.broker.port}`
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close()
    await this.broker.dispose()
    await this.namesrv.stop()
  }

  /** `line` is split at blanks. */
  mqadmin(line: string): Promise<Ran> {
    return this.begin(line).stopped
  }

  /** Of a command that goes on until it is stopped: `ran` grows meanwhile. */
  begin(line: string): { ran: Ran; stop: () => void; stopped: Promise<Ran> } {
    const ran: Ran = { code: -1, stdout: '', stderr: '' }
    const stop = new AbortController()
    const code = runMqadmin(line.split(' '), {
      environment: { NAMESRV_ADDR: this.namesrv.address },
      stdout: (text) => (ran.stdout += text),
      stderr: (text) => (ran.stderr += text),
      stopped: stop.signal,
    })
    const stopped = code.then((value) => Object.assign(ran, { code: value }))
    return { ran, stop: () => stop.abort(), stopped }
  }

  /** Its data. Throws when the command failed. */
  async json(line: string): Promise<unknown> {
    const { code, stdout, stderr } = await this.mqadmin(`${line} --json`)
    if (code !== 0) throw new Error(`${line}: ${stderr}`)
    return JSON.parse(stdout)
  }

  async client(): Promise<RawClient> {
    const client = await this.broker.connect()
    this.#clients.push(client)
    return client
  }

  /** A topic of one queue with messages. Resolves when readers find them and the name server knows it. */
  async topicWith(topic: string, messages: number): Promise<void> {
    const client = await this.client()
    await createTopic(client, topic)
    for (let nth = 0; nth < messages; nth++) {
      await client.ask(SendMessageV2, sendHeader(topic), { body: Buffer.from(`message ${nth}`) })
    }
    await readQueue(client, topic, { end: messages })
    await this.known(topic)
  }

  /** The broker tells the name server of a new topic soon, not at once. */
  async known(topic: string): Promise<void> {
    for (;;) {
      const { code } = await this.mqadmin(`topicRoute -t ${topic}`)
      if (code === 0) return
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

/** One cluster for all tests of a file. */
export function useCluster(settings: Settings = {}): { current: Cluster } {
  const held = {} as { current: Cluster }
  beforeAll(async () => {
    held.current = await Cluster.open(settings)
  })
  afterAll(() => held.current.close())
  return held
}
