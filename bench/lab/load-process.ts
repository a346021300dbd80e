import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LoadReport } from '../load/run-load.ts'

const LOAD = join(import.meta.dirname, '../load.ts')

/** Runs the generator in a process of its own; `args` as for bench/load.ts. Throws with what it printed. */
export async function runLoadProcess(args: string[]): Promise<LoadReport> {
  const { stdout } = await promisify(execFile)(process.execPath, [LOAD, '--json', ...args])
  return JSON.parse(stdout) as LoadReport
}
