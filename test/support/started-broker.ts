import { onTestFinished } from 'vitest'
import { ServerProcess, type Settings } from './broker-process.ts'
import { tempFolder } from './temp-folder.ts'

/** A broker for one test, which may have ended it before. */
export async function startBroker(
  settings: Settings = {},
  folder = tempFolder(),
): Promise<ServerProcess> {
  const server = await ServerProcess.startBroker(settings, folder)
  onTestFinished(() => server.dispose())
  return server
}
