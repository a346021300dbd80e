/**
 * Starts and stops a broker and a name server once, in a folder that is thrown away, so that Node keeps what it
 * compiled (NODE_COMPILE_CACHE): the user's first start is then as quick as every later one.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { systemDisk } from '../src/base/disk.ts'
import { Broker } from '../src/broker/broker.ts'
import { brokerDeclaration } from '../src/config/broker.ts'
import { loadConfig } from '../src/config/load.ts'
import { namesrvDeclaration } from '../src/config/namesrv.ts'
import { createLog } from '../src/log/log.ts'
import { startNamesrv } from '../src/namesrv/namesrv.ts'

const folder = mkdtempSync(join(tmpdir(), 'ringmq-warm-'))
process.env.RINGMQ_LOG_LEVEL = 'silent'
try {
  const log = createLog('ringmq')
  const at = { bindAddress: '127.0.0.1', listenPort: '0' }
  const namesrvOverrides = { ...at, kvConfigPath: join(folder, 'kvConfig.json') }
  const namesrv = await startNamesrv({
    config: loadConfig(namesrvDeclaration, { overrides: namesrvOverrides }).config,
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    log,
  })
  const namesrvAddr = `127.0.0.1:${namesrv.port}`
  const overrides = { ...at, namesrvAddr, storePathRootDir: join(folder, 'store') }
  const { config } = loadConfig(brokerDeclaration, { overrides })
  const broker = await Broker.start({ config, disk: systemDisk, clock: systemClock, log })
  await broker.close()
  await namesrv.close()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
