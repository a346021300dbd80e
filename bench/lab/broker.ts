import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  brokerCommand,
  brokerSettings,
  namesrvCommand,
  writeConfig,
  type Command,
} from '../../scripts/apache.ts'
import { findBroker, TEMPLATE_TOPIC } from '../load/control.ts'
import { startServer, type ServerProcess } from './server-process.ts'

export type BrokerKind = 'apache' | 'ringmq'

/** What is measured. `root` is the checkout whose src/main is run: ours, or another one to compare with. */
export interface BrokerSide {
  kind: BrokerKind
  root: string
  /** In tables. */
  label: string
}

export interface BrokerOptions {
  /** Emptied by nobody: give a fresh one. Store, configuration and logs go into it. */
  directory: string
  port: number
  namesrvPort: number
  /** More broker settings by Apache's keys, for both kinds. */
  settings: Record<string, string>
  /** JVM arguments for the memory of Apache's broker. */
  heap: string[]
}

export interface RunningBroker {
  side: BrokerSide
  port: number
  namesrvPort: number
  /** The broker's process. */
  pid: number
  directory: string
  /** Stops the broker, then the name server. */
  stop(): Promise<void>
}

/** What both `mqbroker`s and `mqnamesrv`s print when they are up. */
const READY = 'boot success'
const ROOT = join(import.meta.dirname, '../..')
const REGISTERED_MS = 30_000
const SMALL_HEAP = ['-Xms256m', '-Xmx256m']

/** `apache`, `ringmq`, or `ringmq:FOLDER` for the RingMQ in another checkout. */
export function parseSide(text: string): BrokerSide {
  const [kind, folder] = text.split(':', 2)
  if (kind !== 'apache' && kind !== 'ringmq') {
    throw new Error(`'${text}': must be apache, ringmq or ringmq:FOLDER`)
  }
  return { kind, root: folder ? resolve(folder) : ROOT, label: text }
}

/** A name server and a broker on the loopback address; returns when the one knows the other. */
export async function startBroker(
  side: BrokerSide,
  options: BrokerOptions,
): Promise<RunningBroker> {
  const { directory, port, namesrvPort } = options
  mkdirSync(directory, { recursive: true })
  const commands =
    side.kind === 'apache' ? apacheCommands(options) : ringmqCommands(side.root, options)
  const servers: ServerProcess[] = []
  const stop = async (): Promise<void> => {
    for (const server of servers.splice(0).reverse()) await server.stop()
  }
  try {
    servers.push(await startServer(commands.namesrv, join(directory, 'namesrv.log'), READY))
    servers.push(await startServer(commands.broker, join(directory, 'broker.log'), READY))
    await registered(namesrvPort)
  } catch (error) {
    await stop()
    throw error
  }
  return { side, port, namesrvPort, pid: servers[1]!.pid, directory, stop }
}

/** Apache's broker says that it is up before it has told the name server. Throws after 30 s. */
async function registered(namesrvPort: number): Promise<void> {
  const until = performance.now() + REGISTERED_MS
  for (;;) {
    const found = await findBroker(`127.0.0.1:${namesrvPort}`, TEMPLATE_TOPIC).catch(
      (e: Error) => e,
    )
    if (!(found instanceof Error)) return
    if (performance.now() > until) throw found
    await sleep(100)
  }
}

/** Runs `work` with a broker that is stopped afterwards. */
export async function withBroker<T>(
  side: BrokerSide,
  options: BrokerOptions,
  work: (broker: RunningBroker) => Promise<T>,
): Promise<T> {
  const broker = await startBroker(side, options)
  try {
    return await work(broker)
  } finally {
    await broker.stop()
  }
}

interface Commands {
  namesrv: Command
  broker: Command
}

function apacheCommands(options: BrokerOptions): Commands {
  const { directory, port, namesrvPort, settings, heap } = options
  const namesrv = `127.0.0.1:${namesrvPort}`
  return {
    namesrv: namesrvCommand(namesrvPort, { directory, heap: SMALL_HEAP, namesrv }),
    broker: brokerCommand(port, settings, { directory, heap, namesrv }),
  }
}

function ringmqCommands(root: string, options: BrokerOptions): Commands {
  const { directory, port, namesrvPort, settings } = options
  const namesrvFile = writeConfig(directory, 'namesrv', { listenPort: String(namesrvPort) })
  const brokerFile = writeConfig(directory, 'broker', {
    ...brokerSettings(port, directory),
    ...settings,
  })
  const node = (main: string, args: string[]): Command => ({
    command: process.execPath,
    args: [join(root, 'src/main', main), ...args],
    env: { ...process.env, HOME: directory },
  })
  return {
    namesrv: node('namesrv.ts', ['-c', namesrvFile]),
    broker: node('broker.ts', ['-n', `127.0.0.1:${namesrvPort}`, '-c', brokerFile]),
  }
}
