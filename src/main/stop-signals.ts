import { writeSync } from 'node:fs'
import { constants } from 'node:os'

import { endPoisoned } from '../ring/thread-failure.ts'
import { ExitCode } from './exit-code.ts'

/** Keeps the process alive while it closes: a close that waits for other threads (waitAsync) does not. */
const FOREVER_MS = 2 ** 31 - 1

function noop(): void {}

/**
 * On SIGTERM or SIGINT: closes, then ends with 143 or 130, the codes of a process that its signal
 * ended. A second signal does not wait for the close.
 */
export function closeOnSignal(close: () => Promise<void>): void {
  let isClosing = false
  const stop = (signal: 'SIGTERM' | 'SIGINT') => {
    const exitCode = 128 + constants.signals[signal]
    if (isClosing) process.exit(exitCode)
    isClosing = true
    setTimeout(noop, FOREVER_MS)
    close().then(() => process.exit(exitCode), endWithError)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

/**
 * An error that nobody expected on main: what the threads share cannot be trusted any more, and the
 * next start recovers from the disk. Exit code 70.
 */
export function endOnBugs(): void {
  const end = (error: unknown) => {
    writeSync(2, `RingMQ ends: ${describe(error)}\n`)
    endPoisoned()
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}

/** The last words of a program that cannot start or cannot close. */
export function endWithError(error: unknown): never {
  process.stderr.write(`${describe(error)}\n`)
  process.exit(ExitCode.FAILED)
}

/** Errors about what lies on the disk: they name the file and say what is wrong with it. */
const TOLD_BY_NAME = new Set(['StoreError', 'ConfigFileError', 'ConfigError'])

/** What the system refuses (a port in use) is not a bug: the message says all, the stack nothing. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  const isRefused = typeof code === 'string' && !code.startsWith('ERR_') // ours have numbers
  if (isRefused || TOLD_BY_NAME.has(error.name)) return error.message
  return error.stack ?? error.message
}
