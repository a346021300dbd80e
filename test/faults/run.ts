/**
 * Real faults, one kind after the other; each prints a line and keeps its figures in bench/results.
 *
 *    node test/faults/run.ts [KIND…]        kill, churn, power, disk-errors, full-disk, slow-disk
 *
 * Needs root on Linux, strace, python3, mkfs.ext4 and loop devices; what is missing is said, and what
 * needs it is left out. Ends with 1 when something was lost, or answered wrongly.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const KINDS = ['full-disk', 'slow-disk', 'disk-errors', 'power', 'kill', 'churn']
const wanted = process.argv.slice(2)

for (const kind of wanted.length === 0 ? KINDS : wanted) {
  const file = fileURLToPath(new URL(`${kind}.ts`, import.meta.url))
  const { status } = spawnSync(process.execPath, [file], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
