import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { guardFromOrphaning, releaseFromGuard } from './orphan-guard.ts'

const TAIL_LINES_MAX = 60

export interface LineProcessOptions {
  command: string
  args: string[]
  folder: string
  env?: Record<string, string>
  /** Called for each line of standard output. */
  onLine?: (line: string) => void
}

/** A child process that talks in lines. Remembers its last ones, to say why it failed. */
export class LineProcess {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #tail: string[] = []
  readonly #command: string
  #exit: string | null = null

  /** Resolves with the exit code or the name of the signal, once all output has been read. */
  readonly exited: Promise<number | string>

  constructor({ command, args, folder, env, onLine }: LineProcessOptions) {
    this.#command = [command, ...args].join(' ')
    this.#child = spawn(command, args, { cwd: folder, env: { ...process.env, ...env } })
    if (this.#child.pid !== undefined) guardFromOrphaning(this.#child.pid)
    const out = this.#read(this.#child.stdout, onLine)
    const err = this.#read(this.#child.stderr)
    this.exited = this.#awaitExit(Promise.all([out, err]))
    this.#child.stdin.on('error', () => {}) // it may be gone before it has read everything
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  get alive(): boolean {
    return this.#exit === null
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`)
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** What it was, how it ended and what it said last. */
  describe(): string {
    return `${this.#command}\n(${this.#exit ?? 'running'})\n${this.#tail.join('\n')}`
  }

  async #awaitExit(output: Promise<unknown>): Promise<number | string> {
    const { promise, resolve, reject } = Promise.withResolvers<number | string>()
    this.#child.once('error', reject)
    this.#child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))
    const exit = await promise
    releaseFromGuard(this.pid)
    await output
    this.#exit = `ended with ${exit}`
    return exit
  }

  #read(stream: Readable, onLine?: (line: string) => void): Promise<void> {
    const lines = createInterface({ input: stream })
    lines.on('line', (line) => {
      this.#tail.push(line.slice(0, 400))
      if (this.#tail.length > TAIL_LINES_MAX) this.#tail.shift()
      onLine?.(line)
    })
    return new Promise((resolve) => lines.once('close', resolve))
  }
}

/** Rejects with `what` and the process's last words unless `promise` settles in time. */
export async function within<T>(
  promise: Promise<T>,
  durationMs: number,
  what: string,
  child: LineProcess,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new Error(`not within ${durationMs} ms: ${what}\n${child.describe()}`))
  }, durationMs)
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
