import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { LoadReport } from '../load/run-load.ts'

const LOAD = join(import.meta.dirname, '../load.ts')

/** Runs the generator in a process of its own; `args` as for bench/load.ts. Throws with what it printed. */
export async function runLoadProcess(args: string[]): Promise<LoadReport> {
  const command = [LOAD, '--json', ...args]
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  execFile(process.execPath, command, (error, stdout, stderr) => {
    if (error) reject(new Error(`node ${command.join(' ')}\n${stderr}`))
    else resolve(stdout)
  })
  return JSON.parse(await promise) as LoadReport
}
