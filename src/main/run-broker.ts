/** A broker that runs until it is told to stop. */
import { systemClock } from '../base/clock.ts'
import { systemDisk } from '../base/disk.ts'
import { Broker } from '../broker/broker.ts'
import type { EarlyWorkers } from '../broker/early-workers.ts'
import { brokerDeclaration } from '../config/broker.ts'
import { createLog } from '../log/log.ts'
import { configureProcess } from './prepare-start.ts'
import { closeOnSignal, endOnBugs, endWithError } from './stop-signals.ts'

/** What `mqbroker` does, with threads that load their code meanwhile. */
export async function runBroker(early: EarlyWorkers): Promise<void> {
  const { config, configFile } = configureProcess('mqbroker', brokerDeclaration)
  endOnBugs()
  try {
    const log = createLog('mqbroker')
    const machine = { disk: systemDisk, clock: systemClock, log }
    const broker = await Broker.start({ config, configFile, ...machine, early })
    closeOnSignal(() => broker.close())
    const servers = config.namesrvAddr === '' ? '' : ` and name server is ${config.namesrvAddr}`
    console.log(
      `The broker[${config.brokerName}, ${broker.address}] boot success. serializeType=JSON${servers}`,
    )
  } catch (error) {
    endWithError(error)
  }
}
