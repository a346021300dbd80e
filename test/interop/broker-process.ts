import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inject } from 'vitest'
import { JDK_RIGHTS } from './java-runtime.ts'
import { LineProcess, within } from './line-process.ts'
import type { SerializeType } from './client-program.ts'

/** Whose servers run: Apache's 5.3.3 or ours. */
export type ServerKind = 'apache' | 'ringmq'

/** Who is under test. `apache` proves the tests themselves. */
export const KIND_UNDER_TEST: ServerKind =
  process.env['RINGMQ_INTEROP_BROKER'] === 'apache' ? 'apache' : 'ringmq'

export type Settings = Record<string, string | number | boolean>

export interface ServerOptions {
  kind: ServerKind
  role: 'namesrv' | 'broker'
  /** Holds its configuration and log files; a broker's store lies beneath, in `store`. */
  folder: string
  settings: Settings
  serializeType?: SerializeType
  nameServer?: string
}

const MAIN_CLASSES = {
  namesrv: 'org.apache.rocketmq.namesrv.NamesrvStartup',
  broker: 'org.apache.rocketmq.broker.BrokerStartup',
}

const REPOSITORY = join(import.meta.dirname, '..', '..')

/** A name server or broker in its own process. */
export class ServerProcess {
  readonly #process: LineProcess
  readonly #ready = Promise.withResolvers<void>()

  private constructor(
    command: string,
    args: string[],
    folder: string,
    env: Record<string, string>,
    readyText: string,
  ) {
    const onLine = (line: string): void => {
      if (line.includes(readyText)) this.#ready.resolve()
    }
    this.#process = new LineProcess({ command, args, folder, env, onLine })
  }

  /** Resolves once it has printed `boot success`. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    await mkdir(options.folder, { recursive: true })
    const settingsFile = join(options.folder, `${options.role}.conf`)
    await writeFile(settingsFile, settingsText(options.settings))
    const args = ['-c', settingsFile]
    if (options.nameServer !== undefined) args.unshift('-n', options.nameServer)
    const env = {
      ROCKETMQ_HOME: options.folder,
      ROCKETMQ_SERIALIZE_TYPE: options.serializeType ?? 'JSON',
    }
    const command = options.kind === 'apache' ? 'java' : process.execPath
    const program = options.kind === 'apache' ? apacheProgram(options) : ourProgram(options.role)
    const all = [...program, ...args]
    return new ServerProcess(command, all, options.folder, env, 'boot success').#untilReady()
  }

  /** Our name server and broker in one process, as `npm start` runs them: on the default ports. */
  static async startDev(folder: string): Promise<ServerProcess> {
    const env = { RINGMQ_DATA: join(folder, 'data') }
    const program = ourProgram('dev')
    return new ServerProcess(process.execPath, program, folder, env, 'is ready').#untilReady()
  }

  /** SIGTERM, as mqshutdown sends it. Apache's broker takes about 15 s for it. */
  async stop(): Promise<number | string> {
    this.#process.signal('SIGTERM')
    return within(this.#process.exited, 60_000, 'the end after SIGTERM', this.#process)
  }

  async kill(): Promise<void> {
    this.#process.signal('SIGKILL')
    await this.#process.exited
  }

  /** Throws, with its last words, when it has ended by itself. */
  assertAlive(): void {
    if (!this.#process.alive) throw new Error(`a server has ended: ${this.#process.describe()}`)
  }

  async #untilReady(): Promise<this> {
    const ended = this.#process.exited.then((exit) => {
      throw new Error(`ended with ${exit} before it was up\n${this.#process.describe()}`)
    })
    try {
      const either = Promise.race([this.#ready.promise, ended])
      await within(either, 60_000, 'its line that it is up', this.#process)
    } catch (error) {
      await this.kill()
      throw error
    }
    return this
  }
}

function settingsText(settings: Settings): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

function ourProgram(name: string): string[] {
  return [join(REPOSITORY, 'src', 'main', `${name}.ts`)]
}

function apacheProgram({ role, folder }: ServerOptions): string[] {
  const java = inject('java')
  if (java === null) throw new Error('no java here')
  const heap = ['-Xms256m', '-Xmx256m', '-XX:MaxDirectMemorySize=256m', '-XX:+UseSerialGC']
  const home = `-Duser.home=${folder}`
  return [...heap, ...JDK_RIGHTS, home, '-cp', java['server-5.3.3'], MAIN_CLASSES[role]]
}
