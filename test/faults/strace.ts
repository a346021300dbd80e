import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** What strace does to the calls of a process from now on; it ends with the process. */
export interface Injection {
  pid: number
  /** pwrite64, fdatasync… */
  call: string
  /** As strace has it behind the call: `error=EIO:when=3`. Counted for each thread. */
  what: string
  /** Only calls on this file. */
  path?: string
  /** What it saw goes here. */
  log: string
}

export class Strace {
  readonly #child: ChildProcess
  readonly #log: string

  private constructor(child: ChildProcess, log: string) {
    this.#child = child
    this.#log = log
  }

  /** Resolves when it holds all threads of the process. */
  static async attach({ pid, call, what, path, log }: Injection): Promise<Strace> {
    const filter = path === undefined ? [] : ['-P', path]
    const rules = ['-e', `trace=${call}`, '-e', `inject=${call}:${what}`]
    const args = ['-f', '-p', String(pid), ...rules, ...filter, '-o', log]
    const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (text) => (said += text))
    while (!/attached/.test(said)) {
      const isOver = await Promise.race([
        once(child.stderr, 'data').then(() => false),
        once(child, 'close').then(() => true),
      ])
      if (isOver) throw new Error(`strace: ${said}`)
    }
    return new Strace(child, log)
  }

  /** Calls that it changed so far. */
  get injected(): number {
    return readFileSync(this.#log, 'latin1').split(/INJECTED/).length - 1
  }

  /** The process goes on without it. */
  async detach(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGINT')
    await closed
  }
}
