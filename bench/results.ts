import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { APACHE_VERSION } from '../scripts/apache.ts'
import { describeMachine } from './lab/machine.ts'
import type { SessionOptions } from './session.ts'

const FOLDER = join(import.meta.dirname, 'results')

/**
 * Writes `results` with all that they depend on to bench/results/<date>-<name>.json; returns its name.
 * Folders of this machine are left out.
 */
export function saveResults(name: string, options: SessionOptions, results: unknown): string {
  const machine = { ...describeMachine(), apache: APACHE_VERSION, java: javaVersion() }
  const { pace, warmup, rest, fresh, settings, heap } = options
  const kept = { pace, warmup, rest, fresh, settings, heap }
  const file = `${machine.date.slice(0, 10)}-${name}.json`
  mkdirSync(FOLDER, { recursive: true })
  const text = JSON.stringify({ machine, options: kept, results }, null, 2)
  writeFileSync(join(FOLDER, file), `${text}\n`)
  return `bench/results/${file}`
}

/** The first line that `java --version` prints. */
function javaVersion(): string {
  try {
    return execFileSync('java', ['--version'], { encoding: 'utf8' }).split('\n', 1)[0]!
  } catch {
    return 'no java'
  }
}
