import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'

/**
 * A shell that reads `+ PID` and `- PID` and, at the end of its input, kills what is left. Its input ends when
 * this process does, in whatever way: vitest may well end a test process with SIGKILL.
 */
const SCRIPT = `
trap '' INT TERM HUP
pids=' '
while read -r sign pid; do
  case $sign in
    +) pids="$pids$pid " ;;
    -) pids=$(printf '%s' "$pids" | sed "s/ $pid / /") ;;
  esac
done
[ "$pids" = ' ' ] || kill -9 $pids
`

let guard: ChildProcess | null = null

/** From now on this process will not outlive ours. */
export function guardFromOrphaning(pid: number): void {
  guard ??= startGuard()
  guard.stdin?.write(`+ ${pid}\n`)
}

/** It has ended: its number may soon be another's. */
export function releaseFromGuard(pid: number): void {
  guard?.stdin?.write(`- ${pid}\n`)
}

function startGuard(): ChildProcess {
  const shell = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  shell.unref()
  ;(shell.stdin as Socket).unref() // neither keeps a test process alive
  return shell
}
