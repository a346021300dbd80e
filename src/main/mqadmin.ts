/** `mqadmin`: what operators do to a cluster. */
import { runMqadmin } from '../mqadmin/run.ts'

const stop = new AbortController()
const { stdin, stdout, stderr, env } = process
process.once('SIGINT', () => stop.abort())
stdout.on('error', () => process.exit()) // whoever read our output has seen enough
// Loaded only where somebody looks: a script does not wait for them.
const terminal = stdout.isTTY ? await import('../mqadmin/terminal.ts') : null
const bar = stderr.isTTY ? await import('../mqadmin/bar.ts') : null
process.exitCode = await runMqadmin(process.argv.slice(2), {
  environment: env,
  stdout: (text) => stdout.write(text),
  stderr: (text) => stderr.write(text),
  stopped: stop.signal,
  terminal: terminal?.openTerminal(stdout.columns || Infinity, stdout.hasColors()) ?? null,
  ...(bar && { progress: (total, what) => bar.openBar(total, what, stderr) }),
  shell: { input: stdin, output: stdout, isTerminal: stdin.isTTY && stdout.isTTY },
})
