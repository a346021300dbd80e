// Runs before `npm start` and `npm test`: installs the locked dependencies when they are missing or not those of the lock file.
// With --bundle it also sees to it that the next start is a quick one (scripts/bundle.ts).
// Plain JavaScript, because the Node that runs it may be too old to strip types.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const lockFile = `${root}package-lock.json`
const installed = `${root}node_modules/.package-lock.json`
const stamp = `${root}node_modules/.installed-lock`
const bundledNode = `${root}node_modules/.bin/node`
const bundle = `${root}.cache/program`

function lockDigest() {
  return createHash('sha256').update(readFileSync(lockFile)).digest('hex')
}

/** Newer than the lock file, or made from one with the same content: `git switch` gives files a new time. */
function isInstalled() {
  if (!existsSync(installed)) return false
  if (statSync(installed).mtimeMs >= statSync(lockFile).mtimeMs) return true
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lockDigest()
}

function install() {
  console.log('Installing dependencies (npm ci), this happens once.')
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', ['ci', ...quiet], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  writeFileSync(stamp, lockDigest())
}

/** The Node that comes with the dependencies is built for glibc. Where it cannot run, the one on PATH takes over. */
function dropUnusableNode() {
  try {
    execFileSync(bundledNode, ['--version'], { stdio: 'ignore' })
  } catch {
    rmSync(bundledNode, { force: true })
    const major = Number(process.versions.node.split('.')[0])
    if (major < 24) throw new Error(`Node 24 or newer is needed, this is ${process.version}.`)
  }
}

/** The same question as bin/run-main.sh asks. */
function isBundled() {
  if (!existsSync(`${bundle}/made`)) return false
  const made = statSync(`${bundle}/made`).mtimeMs
  const sources = ['src', 'workers'].flatMap((folder) => [
    `${root}${folder}`,
    ...readdirSync(`${root}${folder}`, { recursive: true }).map(
      (name) => `${root}${folder}/${name}`,
    ),
  ])
  return [lockFile, ...sources].every((path) => statSync(path).mtimeMs <= made)
}

/** The first start is to be as quick as every later one. Only a convenience: without it the sources run. */
function makeBundle() {
  const node = existsSync(bundledNode) ? bundledNode : process.execPath
  const NODE_COMPILE_CACHE = process.env.NODE_COMPILE_CACHE ?? `${root}.cache/node`
  const env = { ...process.env, NODE_COMPILE_CACHE }
  const options = { cwd: root, env, stdio: 'ignore', timeout: 20_000 }
  const made = spawnSync(node, [`${root}scripts/bundle.ts`], options)
  const warm =
    made.status === 0 ? `${bundle}/scripts/warm-start.js` : `${root}scripts/warm-start.ts`
  spawnSync(node, [warm], options)
}

try {
  if (!isInstalled()) {
    install()
    dropUnusableNode()
  }
} catch (error) {
  console.error(`Could not install the dependencies. ${error.message}`)
  process.exit(1)
}
if (process.argv.includes('--bundle') && !isBundled()) makeBundle()
