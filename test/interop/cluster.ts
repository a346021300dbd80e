import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, inject } from 'vitest'
import { KIND_UNDER_TEST, ServerProcess } from './broker-process.ts'
import type { ServerKind, Settings } from './broker-process.ts'
import { findFreePort } from './free-ports.ts'
import { untilRegistered } from './registration.ts'
import { ClientProgram } from './client-program.ts'
import type { ProgramCommand, SerializeType } from './client-program.ts'
import { JavaProgram } from './java-program.ts'
import type { JavaProgramOptions } from './java-program.ts'

export const SERIALIZE_TYPES: SerializeType[] = ['JSON', 'ROCKETMQ']

/** `describe` for tests that need Apache's jars. */
export const describeInterop = describe.skipIf(inject('java') === null)

export interface ClusterOptions {
  kind?: ServerKind
  serializeType?: SerializeType
  /** Lines of broker.conf, beside those every test needs. */
  settings?: Settings
}

type Options = JavaProgramOptions['options']

/** A name server, a broker with a fresh store, and the programs that talk to them. */
export class Cluster {
  readonly folder: string
  readonly serializeType: SerializeType
  readonly nameServer: string
  readonly brokerPort: number
  readonly #nameServer: ServerProcess
  readonly #settings: Settings
  readonly #programs: ClientProgram[] = []
  #broker: ServerProcess | null = null

  private constructor(
    folder: string,
    ports: { nameServer: number; broker: number },
    nameServer: ServerProcess,
    { serializeType, settings }: ClusterOptions,
  ) {
    this.folder = folder
    this.serializeType = serializeType ?? 'JSON'
    this.nameServer = `127.0.0.1:${ports.nameServer}`
    this.brokerPort = ports.broker
    this.#nameServer = nameServer
    this.#settings = settings ?? {}
  }

  /** Returns when both are up. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const kind = options.kind ?? KIND_UNDER_TEST
    const folder = await mkdtemp(join(tmpdir(), 'ringmq-interop-'))
    // Old clients send to listenPort - 2, slaves connect to listenPort + 1.
    const ports = { nameServer: await findFreePort(), broker: await findFreePort([-2, 1]) }
    const settings = { listenPort: ports.nameServer }
    const { serializeType } = options
    const start = { kind, role: 'namesrv' as const, folder, settings, serializeType }
    const nameServer = await ServerProcess.start(start)
    const cluster = new Cluster(folder, ports, nameServer, options)
    await cluster.startBroker(kind).catch(async (error: unknown) => {
      await cluster.#remove()
      throw error
    })
    return cluster
  }

  get storePath(): string {
    return join(this.folder, 'store')
  }

  /** Starts the broker on the store as it is: its own from before, or the other kind's. */
  async startBroker(kind: ServerKind = KIND_UNDER_TEST): Promise<void> {
    this.#broker = await ServerProcess.start({
      kind,
      role: 'broker',
      folder: this.folder,
      settings: { ...this.#brokerSettings(), ...(kind === 'apache' ? APACHE_ONLY : {}) },
      serializeType: this.serializeType,
      nameServer: this.nameServer,
    })
    // Apache's broker at times finds no name server yet and registers 10 s after its "boot success".
    if (kind === 'apache') await untilRegistered(this.nameServer)
  }

  /** Stops the broker with SIGTERM. Resolves with its exit code. */
  async stopBroker(): Promise<number | string> {
    return this.#running().stop()
  }

  /** kill -9 of the broker. */
  async killBroker(): Promise<void> {
    await this.#running().kill()
  }

  /** Starts a Java program against this cluster. */
  run(
    program: JavaProgramOptions['program'],
    options: Options = {},
    jars?: JavaProgramOptions['jars'],
  ): JavaProgram {
    const { serializeType, nameServer, folder } = this
    const all = { nameServer, ...options }
    const java = new JavaProgram({ program, jars, serializeType, home: folder, options: all })
    this.#programs.push(java)
    return java
  }

  /** Starts any other program; it is ended with the cluster. */
  launch(command: ProgramCommand): ClientProgram {
    const program = new ClientProgram(command)
    this.#programs.push(program)
    return program
  }

  /** Starts Apache's admin client, ready for commands. */
  async admin(): Promise<JavaProgram> {
    const admin = this.run('Admin', {}, 'server-5.3.3')
    await admin.until('started')
    return admin
  }

  /** Starts Apache's mqadmin, ready for command lines. */
  async tool(): Promise<JavaProgram> {
    const tool = this.run('Tool', {}, 'server-5.3.3')
    await tool.until('started')
    return tool
  }

  /** Runs a Java program to its end. */
  async complete(
    program: JavaProgramOptions['program'],
    options: Options,
    jars?: JavaProgramOptions['jars'],
  ): Promise<JavaProgram> {
    const java = this.run(program, options, jars)
    await java.finish()
    return java
  }

  /** Ends everything and removes the store. Throws when a server has ended by itself before. */
  async dispose(): Promise<void> {
    try {
      for (const server of this.#servers()) server.assertAlive()
    } finally {
      await this.#remove()
    }
  }

  async #remove(): Promise<void> {
    const processes = [...this.#programs, ...this.#servers()]
    await Promise.all(processes.map((process) => process.kill()))
    await rm(this.folder, { recursive: true })
  }

  #servers(): ServerProcess[] {
    return this.#broker === null ? [this.#nameServer] : [this.#nameServer, this.#broker]
  }

  #running(): ServerProcess {
    if (this.#broker === null) throw new Error('no broker has been started')
    return this.#broker
  }

  #brokerSettings(): Settings {
    return {
      brokerClusterName: 'DefaultCluster',
      brokerName: 'broker-a',
      brokerId: 0,
      brokerIP1: '127.0.0.1',
      brokerIP2: '127.0.0.1',
      listenPort: this.brokerPort,
      haListenPort: this.brokerPort + 1,
      storePathRootDir: this.storePath,
      ...this.#settings,
    }
  }
}

// On a busy machine Apache's broker turns sends away after 200 ms in its queue; we send without retries.
const APACHE_ONLY: Settings = { waitTimeMillsInSendQueue: 30_000 }
