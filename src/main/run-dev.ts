/** Name server and broker in one process, on loopback. */
import { join, resolve } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { systemDisk } from '../base/disk.ts'
import { Broker } from '../broker/broker.ts'
import type { EarlyWorkers } from '../broker/early-workers.ts'
import { brokerDeclaration } from '../config/broker.ts'
import { loadConfig } from '../config/load.ts'
import { namesrvDeclaration } from '../config/namesrv.ts'
import { createLog, type Log } from '../log/log.ts'
import { startNamesrv } from '../namesrv/namesrv.ts'
import { closeOnSignal, endOnBugs, endWithError } from './stop-signals.ts'

const HOST = '127.0.0.1'
/** A laptop's disk is fuller than a server's, and not with our messages: Apache's 75, 85 and 90 would get in the way. */
const OWN_DISK = {
  diskMaxUsedSpaceRatio: '90',
  diskSpaceCleanForciblyRatio: '95',
  diskSpaceWarningLevelRatio: '98',
}
const DEFAULT_PORTS = { RINGMQ_NAMESRV_PORT: '9876', RINGMQ_BROKER_PORT: '10911' }

/** What `npm start` does, with threads that load their code meanwhile. */
export async function runDev(early: EarlyWorkers): Promise<void> {
  endOnBugs()
  try {
    const log = createLog('ringmq')
    const data = resolve(process.env.RINGMQ_DATA ?? 'data')
    const namesrv = await startNameServer(data, log)
    const namesrvAddr = `${HOST}:${namesrv.port}`
    const { config } = loadConfig(brokerDeclaration, { overrides: overridesOf(data, namesrvAddr) })
    const broker = await Broker.start({ config, disk: systemDisk, clock: systemClock, log, early })
    closeOnSignal(async () => {
      await broker.close()
      await namesrv.close()
    })
    console.log(
      `RingMQ is ready: name server ${namesrvAddr}, broker ${broker.address}, data in ${config.storePathRootDir}. Send the first messages with: NAMESRV_ADDR=${namesrvAddr} bin/tools.sh org.apache.rocketmq.example.quickstart.Producer`,
    )
  } catch (error) {
    endWithError(inOwnWords(error))
  }
}

/** What the user of `npm start` can set are the variables, not the keys. */
function inOwnWords(error: unknown): unknown {
  if (error instanceof Error && error.message.includes('listenPort')) {
    error.message +=
      ' [listenPort here: RINGMQ_NAMESRV_PORT for the name server, RINGMQ_BROKER_PORT for the broker]'
  }
  return error
}

/** Everything lies below one folder, the name server's files too. */
function startNameServer(data: string, log: Log): ReturnType<typeof startNamesrv> {
  const overrides = {
    bindAddress: HOST,
    listenPort: portOf('RINGMQ_NAMESRV_PORT'),
    kvConfigPath: join(data, 'namesrv', 'kvConfig.json'),
    configStorePath: join(data, 'namesrv', 'namesrv.properties'),
  }
  const { config } = loadConfig(namesrvDeclaration, { overrides })
  return startNamesrv({ config, host: HOST, port: config.listenPort, clock: systemClock, log })
}

function overridesOf(data: string, namesrvAddr: string): Record<string, string> {
  return {
    namesrvAddr,
    bindAddress: HOST,
    listenPort: portOf('RINGMQ_BROKER_PORT'),
    brokerName: 'broker-a',
    storePathRootDir: data,
    ...OWN_DISK,
  }
}

function portOf(variable: keyof typeof DEFAULT_PORTS): string {
  return process.env[variable] ?? DEFAULT_PORTS[variable]
}
