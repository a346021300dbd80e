import { vi } from 'vitest'
import { runMqadmin } from '../../src/mqadmin/run.ts'
import type { ServerKind } from './broker-process.ts'
import { Cluster } from './cluster.ts'
import type { JavaProgram } from './java-program.ts'
import type { Line } from './matrix-lines.ts'
import { facts } from './mqadmin.ts'

const QUEUES = 4
const MESSAGES = 12

/** A cluster of either kind with the same topics, messages and groups, and both tools on it. */
export class MatrixCluster {
  readonly #cluster: Cluster
  readonly #tool: JavaProgram
  /** What stands for `$name` in a line: ids of this cluster's messages. */
  readonly #names = new Map<string, string>()

  private constructor(cluster: Cluster, tool: JavaProgram) {
    this.#cluster = cluster
    this.#tool = tool
  }

  static async start(kind: ServerKind): Promise<MatrixCluster> {
    const inner = await Cluster.start({ kind })
    const cluster = new MatrixCluster(inner, await inner.tool())
    await cluster.#fill()
    return cluster
  }

  /** The same on each: which message lies in which queue, too. */
  async #fill(): Promise<void> {
    await this.#run(`updateTopic -c DefaultCluster -t Watched -r ${QUEUES} -w ${QUEUES}`)
    await this.#run('updateTopic -c DefaultCluster -t Unused -r 2 -w 1 -p 4')
    for (let nth = 0; nth < MESSAGES; nth++) {
      const where = `-b broker-a -i ${nth % QUEUES}`
      this.#names.set('body', `${nth} message`)
      const what = `-p $body -k key-${nth} -c ${nth % 2 === 0 ? 'Even' : 'Odd'}`
      const printed = await this.#run(`sendMessage -t Watched ${where} ${what}`)
      this.#names.set(`unique${nth}`, printed.match(/[0-9A-F]{32}/)![0])
    }
    const found = await this.#run('queryMsgByUniqueKey -t Watched -i $unique1')
    this.#names.set('offsetId', found.match(/[0-9A-F]{32}$/m)?.[0] ?? '')
    this.#names.set('broker', `127.0.0.1:${this.#cluster.brokerPort}`)
    this.#names.set('server', this.#cluster.nameServer)
    this.#names.set('folder', this.#cluster.folder)
    await this.#run('updateSubGroup -c DefaultCluster -g idle -s true -m false -d true -q 2 -r 3')
    await (await this.#consume('idle')).stop()
    await this.#run('resetOffsetByTime -g idle -t Watched -s 0')
    await this.#consume('watchers')
    await this.#untilCommitted()
  }

  async #consume(group: string): Promise<JavaProgram> {
    const options = { topic: 'Watched', group, expression: '*' }
    const consumer = this.#cluster.run('Consume', options)
    await consumer.untilCount('message', MESSAGES)
    return consumer
  }

  /** The consumer commits every 5 s; from then on nothing moves. */
  async #untilCommitted(): Promise<void> {
    const offset = MESSAGES / QUEUES
    const atEnd = new RegExp(`^Watched.* ${offset} +${offset} +0 `, 'gm')
    const isThere = async () =>
      (await this.#run('consumerProgress -g watchers')).match(atEnd)?.length === QUEUES
    await vi.waitUntil(isThere, { timeout: 60_000, interval: 1000 })
  }

  async our(line: Line): Promise<string[]> {
    return factsOf(line, await this.#run(line.line))
  }

  async apaches(line: Line): Promise<string[]> {
    const { printed } = await this.#tool.ask(this.#named(line.line))
    return factsOf(line, printed!)
  }

  dispose(): Promise<void> {
    return this.#cluster.dispose()
  }

  /** What our mqadmin prints. Rejects when it fails. */
  async #run(line: string): Promise<string> {
    let [printed, complaint] = ['', '']
    const before = process.cwd()
    process.chdir(this.#cluster.folder) // consumerStatus writes files
    const code = await runMqadmin(
      line.split(' ').map((word) => this.#named(word)),
      {
        environment: { NAMESRV_ADDR: this.#cluster.nameServer },
        stdout: (text) => (printed += text),
        stderr: (text) => (complaint += text),
        stopped: new AbortController().signal,
      },
    ).finally(() => process.chdir(before))
    if (code !== 0) throw new Error(`${line}: ${complaint}`)
    return printed
  }

  #named(line: string): string {
    return line.replaceAll(/\$(\w+)/g, (_, name: string) => this.#names.get(name) ?? name)
  }
}

/** Without what is each cluster's own: ids, ports, folders, processes, the order of a Java map. */
function factsOf({ without }: Line, printed: string): string[] {
  const kept = without === undefined ? printed : printed.replaceAll(without, '')
  const plain = kept
    .replaceAll(/\b[0-9A-F]{32,}\b/g, 'ID')
    .replaceAll(/(?<=\d\d:\d\d:\d\d)[,.]\d{3}/g, '')
    .replaceAll(/[\d.]+@\d+(#\d+)?/g, 'CLIENT')
    .replaceAll(/\/\S*ringmq-interop-\w+/g, 'FOLDER')
    .replaceAll(/\](?=MessageTrack)/g, ']\n')
    .replaceAll(/(?<=istenPort *= *)\d+/g, 'PORT')
    .replaceAll(/^\{"result":.*$/gm, (json) => inOrder(json))
  return facts(plain)
}

function inOrder(json: string): string {
  const { result } = JSON.parse(json) as { result: Record<string, unknown> }
  return JSON.stringify(Object.entries(result).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}
