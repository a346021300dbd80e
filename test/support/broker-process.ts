/** Name server and broker as the processes they are in production, on free ports and temp folders. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RawClient } from './raw-client.ts'

export type Settings = Record<string, string | number | boolean>

/** How a process ended, and what it had said. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

const MIB = 1024 * 1024
const PAGE_KIB = 4

const BROKER_DEFAULTS: Settings = {
  bindAddress: '127.0.0.1',
  listenPort: 0,
  brokerName: 'broker-a',
  mappedFileSizeCommitLog: 16 * MIB,
  logWindowSize: 8 * MIB,
  maxQueues: 65_536,
  // A test must not depend on what else lies on the disk.
  diskSpaceWarningLevelRatio: 100,
  cleanFileForciblyEnable: false,
}

/** A program of src/main in a process of its own, whose `boot success` line names its port. */
export class ServerProcess {
  readonly folder: string
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  #port = 0
  #stdout = ''
  #stderr = ''

  private constructor(
    program: 'broker' | 'namesrv',
    folder: string,
    settings: Settings,
    variables: Record<string, string> = {},
  ) {
    this.folder = folder
    const file = join(folder, `${program}.conf`)
    const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`)
    writeFileSync(file, lines.join(''))
    const main = fileURLToPath(new URL(`../../src/main/${program}.ts`, import.meta.url))
    this.#child = spawn(process.execPath, [main, '-c', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, RINGMQ_LOG_LEVEL: 'warn', ...variables },
    })
    this.#child.stdout!.on('data', (text) => (this.#stdout += text))
    this.#child.stderr!.on('data', (text) => (this.#stderr += text))
    this.exited = once(this.#child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }))
  }

  /** A broker that is up. Rejects with its last words when it ends before. */
  static async startBroker(
    settings: Settings = {},
    folder = tempFolder(),
    variables: Record<string, string> = {},
  ): Promise<ServerProcess> {
    const server = ServerProcess.launchBroker(settings, folder, variables)
    await server.#untilUp(/boot success/, /:(\d+)\] boot success/)
    return server
  }

  /** A broker that may refuse to start: `exited` tells. */
  static launchBroker(
    settings: Settings,
    folder = tempFolder(),
    variables: Record<string, string> = {},
  ): ServerProcess {
    const store = { storePathRootDir: join(folder, 'store') }
    const all = { ...BROKER_DEFAULTS, ...store, ...settings }
    return new ServerProcess('broker', folder, all, variables)
  }

  static async startNameServer(settings: Settings, folder = tempFolder()): Promise<ServerProcess> {
    const server = new ServerProcess('namesrv', folder, settings)
    await server.#untilUp(/boot success/, null)
    server.#port = Number(settings['listenPort'])
    return server
  }

  get port(): number {
    return this.#port
  }

  get pid(): number {
    return this.#child.pid!
  }

  get store(): string {
    return join(this.folder, 'store')
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Memory of the process that is in RAM, in bytes. */
  get residentBytes(): number {
    const statm = readFileSync(`/proc/${this.pid}/statm`, 'latin1').split(' ')
    return Number(statm[1]) * PAGE_KIB * 1024
  }

  connect(port = this.port): Promise<RawClient> {
    return RawClient.connect(port)
  }

  /** SIGTERM, as mqshutdown sends it. */
  stop(): Promise<Exit> {
    this.#child.kill('SIGTERM')
    return this.exited
  }

  kill(): Promise<Exit> {
    this.#child.kill('SIGKILL')
    return this.exited
  }

  /** Ends it and takes its folder away. */
  async dispose(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #untilUp(isUp: RegExp, port: RegExp | null): Promise<void> {
    const early = this.exited.then(({ code, stdout, stderr }) => {
      throw new Error(`ended with ${code} before it was up: ${stdout}${stderr}`)
    })
    while (!isUp.test(this.#stdout)) {
      await Promise.race([once(this.#child.stdout!, 'data'), early])
    }
    early.catch(() => undefined)
    if (port !== null) this.#port = Number(port.exec(this.#stdout)![1])
  }
}

export function tempFolder(): string {
  return mkdtempSync(join(tmpdir(), 'ringmq-'))
}
