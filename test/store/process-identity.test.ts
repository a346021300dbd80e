import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { currentProcess, isAlive } from '../../src/store/process-identity.ts'

/** Fields of /proc/PID/stat behind the name. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

test.skipIf(process.platform !== 'linux')(
  'a process that is dead does not live, also when its parent never asks for it',
  async () => {
    // The shell becomes a program that knows nothing of its child.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'])
    onTestFinished(() => void parent.kill('SIGKILL'))
    const [text] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(String(text))
    const identity = { ...currentProcess(), pid, started: statOf(pid)[19]! }
    expect(isAlive(identity)).toBe(true)
    while (statOf(pid)[0] !== 'Z') await new Promise((resolve) => setImmediate(resolve))
    expect(isAlive(identity)).toBe(false)
  },
)
