import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const binFolder = fileURLToPath(new URL('../../bin', import.meta.url))

export interface Outcome {
  /** The exit code; null when a signal ended it. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A program of bin/ that runs as a process of its own. */
export class RunningProgram {
  readonly process: ChildProcess
  readonly ended: Promise<Outcome>
  #stdout = ''
  #stderr = ''

  constructor(command: string, words: readonly string[], cwd: string) {
    const { NAMESRV_ADDR: _, ...env } = process.env // of whoever runs the tests
    this.process = spawn(command, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.process.stdout!.on('data', (text) => (this.#stdout += text))
    this.process.stderr!.on('data', (text) => (this.#stderr += text))
    this.ended = once(this.process, 'close').then(([exitCode]) => ({
      exitCode: exitCode as number | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }))
  }

  get pid(): number {
    return this.process.pid!
  }

  /** The first match on stdout. Rejects when the program ends without it. */
  async untilPrinted(pattern: RegExp): Promise<RegExpExecArray> {
    const early = this.ended.then(({ exitCode, stderr }) => {
      throw new Error(`ended with ${exitCode} before it printed ${pattern}: ${stderr}`)
    })
    for (;;) {
      const match = pattern.exec(this.#stdout)
      if (match !== null) return match
      await Promise.race([once(this.process.stdout!, 'data'), early])
    }
  }
}

/** `sh bin/NAME words…`, as Apache's documentation writes it. */
export function runScript(name: string, ...words: string[]): RunningProgram {
  return new RunningProgram('sh', [join(binFolder, name), ...words], '/')
}
