/** `mqbroker`: a broker that runs until it is told to stop. */
import { systemClock } from '../base/clock.ts'
import { systemDisk } from '../base/disk.ts'
import { Broker } from '../broker/broker.ts'
import { brokerDeclaration } from '../config/broker.ts'
import { createLog } from '../log/log.ts'
import { configureProcess } from './prepare-start.ts'
import { closeOnSignal, endWithError } from './stop-signals.ts'

const config = configureProcess('mqbroker', brokerDeclaration)

try {
  const log = createLog('mqbroker')
  const broker = await Broker.start({ config, disk: systemDisk, clock: systemClock, log })
  closeOnSignal(() => broker.close())
  const servers = config.namesrvAddr === '' ? '' : ` and name server is ${config.namesrvAddr}`
  console.log(
    `The broker[${config.brokerName}, ${broker.address}] boot success. serializeType=JSON${servers}`,
  )
} catch (error) {
  endWithError(error)
}
