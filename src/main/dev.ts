/** `ringmq dev`, which `npm start` runs: name server and broker in one process, on loopback. */
import { join, resolve } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { systemDisk } from '../base/disk.ts'
import { Broker } from '../broker/broker.ts'
import { brokerDeclaration } from '../config/broker.ts'
import { loadConfig } from '../config/load.ts'
import { namesrvDeclaration } from '../config/namesrv.ts'
import { createLog } from '../log/log.ts'
import { startNamesrv } from '../namesrv/namesrv.ts'
import { closeOnSignal, endWithError } from './stop-signals.ts'

const HOST = '127.0.0.1'
const NAMESRV_PORT = 9876
const data = resolve(process.env.RINGMQ_DATA ?? 'data')

/** Everything lies below one folder, the name server's files too. */
const namesrvOverrides = {
  bindAddress: HOST,
  kvConfigPath: join(data, 'namesrv', 'kvConfig.json'),
  configStorePath: join(data, 'namesrv', 'namesrv.properties'),
}

try {
  const log = createLog('ringmq')
  const namesrv = await startNamesrv({
    config: loadConfig(namesrvDeclaration, { overrides: namesrvOverrides }).config,
    host: HOST,
    port: NAMESRV_PORT,
    clock: systemClock,
    log,
  })
  const namesrvAddr = `${HOST}:${namesrv.port}`
  const overrides = {
    namesrvAddr,
    bindAddress: HOST,
    brokerName: 'broker-a',
    storePathRootDir: data,
  }
  const { config } = loadConfig(brokerDeclaration, { overrides })
  const broker = await Broker.start({ config, disk: systemDisk, clock: systemClock, log })
  closeOnSignal(async () => {
    await broker.close()
    await namesrv.close()
  })
  console.log(
    `RingMQ is ready: name server ${namesrvAddr}, broker ${broker.address}, data in ${config.storePathRootDir}. Send the first messages with: NAMESRV_ADDR=${namesrvAddr} bin/tools.sh org.apache.rocketmq.example.quickstart.Producer`,
  )
} catch (error) {
  endWithError(error)
}
