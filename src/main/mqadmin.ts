/** `mqadmin`: what operators do to a cluster. */
import { runMqadmin } from '../mqadmin/run.ts'

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
process.stdout.on('error', () => process.exit()) // whoever read our output has seen enough
process.exitCode = await runMqadmin(process.argv.slice(2), {
  environment: process.env,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  stopped: stop.signal,
})
