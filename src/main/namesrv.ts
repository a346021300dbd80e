/** `mqnamesrv`: a name server that runs until it is told to stop. */
import { systemClock } from '../base/clock.ts'
import { namesrvDeclaration } from '../config/namesrv.ts'
import { createLog } from '../log/log.ts'
import { startNamesrv } from '../namesrv/namesrv.ts'
import { configureProcess } from './prepare-start.ts'
import { closeOnSignal, endWithError } from './stop-signals.ts'

const { config } = configureProcess('mqnamesrv', namesrvDeclaration)
const { bindAddress: host, listenPort } = config

try {
  const log = createLog('mqnamesrv')
  const namesrv = await startNamesrv({ config, host, port: listenPort, clock: systemClock, log })
  closeOnSignal(() => namesrv.close())
  const address = `${host}:${namesrv.port}`
  console.log(`The Name Server boot success. serializeType=JSON, address ${address}`)
} catch (error) {
  endWithError(error)
}
