// Prints `N passed, N failed` (`, N skipped`) over the steps of .ci/run and exits 1 when one of them failed.
// A step with a report of vitest counts its tests, any other step counts as one.
// Plain JavaScript, because the Node that runs it may be too old to strip types.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2]

function countStep(name) {
  const exit = readFileSync(join(folder, `${name}.exit`), 'utf8').trim()
  if (exit === 'skipped') return { passed: 0, failed: 0, skipped: 1 }
  const counts = readReport(name) ?? { passed: exit === '0' ? 1 : 0, failed: 0, skipped: 0 }
  // A file that cannot be loaded, an error outside of every test, a crash: no test failed, the step did.
  if (exit !== '0' && counts.failed === 0) counts.failed = 1
  return counts
}

function readReport(name) {
  const file = join(folder, `${name}.json`)
  if (!existsSync(file)) return null
  const report = JSON.parse(readFileSync(file, 'utf8'))
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

const steps = readdirSync(folder)
  .filter((file) => file.endsWith('.exit'))
  .map((file) => file.slice(0, -'.exit'.length))

const sum = { passed: 0, failed: 0, skipped: 0 }
for (const step of steps) {
  const counts = countStep(step)
  if (counts.failed > 0) console.log(`${step} failed`)
  for (const key of Object.keys(sum)) sum[key] += counts[key]
}

const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''
console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`)
process.exitCode = sum.failed > 0 ? 1 : 0
