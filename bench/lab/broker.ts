import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  brokerCommand,
  brokerSettings,
  namesrvCommand,
  writeConfig,
  type Command,
} from '../../scripts/apache.ts'
import { startServer, type ServerProcess } from './server-process.ts'

export type BrokerKind = 'apache' | 'ringmq'

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
  kind: BrokerKind
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
const SMALL_HEAP = ['-Xms256m', '-Xmx256m']

/** A name server and a broker on the loopback address; returns when both are up. */
export async function startBroker(
  kind: BrokerKind,
  options: BrokerOptions,
): Promise<RunningBroker> {
  const { directory, port, namesrvPort } = options
  mkdirSync(directory, { recursive: true })
  const commands = kind === 'apache' ? apacheCommands(options) : ringmqCommands(options)
  const namesrv = await startServer(commands.namesrv, join(directory, 'namesrv.log'), READY)
  const broker = await startAfter(namesrv, commands.broker, join(directory, 'broker.log'))
  const stop = async (): Promise<void> => {
    await broker.stop()
    await namesrv.stop()
  }
  return { kind, port, namesrvPort, pid: broker.pid, directory, stop }
}

async function startAfter(
  namesrv: ServerProcess,
  command: Command,
  logFile: string,
): Promise<ServerProcess> {
  return await startServer(command, logFile, READY).catch(async (error: unknown) => {
    await namesrv.stop()
    throw error
  })
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

function ringmqCommands({ directory, port, namesrvPort, settings }: BrokerOptions): Commands {
  const namesrvFile = writeConfig(directory, 'namesrv', { listenPort: String(namesrvPort) })
  const brokerFile = writeConfig(directory, 'broker', {
    ...brokerSettings(port, directory),
    ...settings,
  })
  const node = (main: string, args: string[]): Command => ({
    command: process.execPath,
    args: [join(ROOT, 'src/main', main), ...args],
    env: { ...process.env, HOME: directory },
  })
  return {
    namesrv: node('namesrv.ts', ['-c', namesrvFile]),
    broker: node('broker.ts', ['-n', `127.0.0.1:${namesrvPort}`, '-c', brokerFile]),
  }
}
