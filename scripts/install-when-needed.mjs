// Runs before `npm start` and `npm test`: installs the locked dependencies when they are missing or the lock file is newer.
// Plain JavaScript, because the Node that runs it may be too old to strip types.
import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const installed = `${root}node_modules/.package-lock.json`
const locked = `${root}package-lock.json`

function isInstalled() {
  if (!existsSync(installed)) return false
  return !existsSync(locked) || statSync(installed).mtimeMs >= statSync(locked).mtimeMs
}

if (!isInstalled()) {
  console.log('Installing dependencies (npm ci), this happens once.')
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', ['ci', ...quiet], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
}
