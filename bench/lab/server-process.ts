import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from '../../scripts/apache.ts'

const START_MS = 60_000
const STOP_MS = 30_000

/** A server we started. `stop` asks it to end, waits, and insists after 30 s. */
export interface ServerProcess {
  pid: number
  stop(): Promise<void>
}

/**
 * Starts `command` with its output in `logFile` and waits until that holds `ready`. Throws with the end of
 * the log when the process ends first, or after 60 s.
 */
export async function startServer(
  { command, args, env }: Command,
  logFile: string,
  ready: string,
): Promise<ServerProcess> {
  mkdirSync(dirname(logFile), { recursive: true })
  const log = openSync(logFile, 'w')
  const child = spawn(command, args, { env, stdio: ['ignore', log, log] })
  closeSync(log)
  endWithUs(child)
  const server = { pid: child.pid!, stop: () => stop(child) }
  await awaitLine(child, logFile, ready).catch(async (error: unknown) => {
    await stop(child)
    throw error
  })
  return server
}

/** A measurement that is broken off must not leave its servers behind. */
function endWithUs(child: ChildProcess): void {
  const end = (): void => void child.kill('SIGTERM')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
}

async function awaitLine(child: ChildProcess, logFile: string, ready: string): Promise<void> {
  const until = performance.now() + START_MS
  let failure = ''
  child.once('error', (error) => (failure = error.message))
  while (!readFileSync(logFile, 'utf8').includes(ready)) {
    if (hasEnded(child)) failure ||= `ended with ${child.exitCode ?? child.signalCode}`
    if (performance.now() > until) failure ||= `no '${ready}' within 60 s`
    if (failure) throw new Error(`${child.spawnfile}: ${failure}\n${tail(logFile)}`)
    await sleep(50)
  }
}

function tail(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child) || child.pid === undefined) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await ended
  clearTimeout(timer)
}
