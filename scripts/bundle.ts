/**
 * Puts each program and each worker thread into a few files of plain JavaScript, in .cache/program: Node then
 * resolves and links some twenty files instead of more than two hundred, which takes 30 % off a start
 * (bench/results/start.json). bin/run-main.sh takes them while no source is newer; without them everything runs
 * from source.
 */
import { readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Another folder can be given, for a test; packages are found from there as from anywhere below the root. */
const target = resolve(process.argv[2] ?? join(root, '.cache', 'program'))
const fresh = `${target}-${process.pid}`

/** A file of src/main that exports nothing is a program. */
function programs(): string[] {
  return typescriptIn('src/main').filter(
    (path) => !/^export /m.test(readFileSync(join(root, path), 'utf8')),
  )
}

function typescriptIn(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`)
}

/** Started for a moment only, again and again: all of it is in one file, which what it does not need does not slow down. */
const SHORT_LIVED = 'src/main/mqadmin.ts'

async function bundle(paths: readonly string[], codeSplitting: boolean): Promise<void> {
  const made = await rolldown({
    cwd: root,
    input: Object.fromEntries(paths.map((path) => [path.replace(/\.ts$/, ''), path])),
    platform: 'node',
    external: ['piscina'], // its own worker file lies beside it
    checks: { eval: false }, // hdr-histogram-js looks for zlib so
  })
  await made.write({
    dir: fresh,
    format: 'esm',
    codeSplitting,
    // As deep as any module of src: what is addressed from `import.meta.url` stays where it was.
    chunkFileNames: 'src/shared/[name]-[hash].js',
  })
  await made.close()
}

const entries = [...programs(), ...typescriptIn('workers'), 'scripts/warm-start.ts']
const startedAt = new Date()
await bundle(
  entries.filter((path) => path !== SHORT_LIVED),
  true,
)
await bundle([SHORT_LIVED], false)
// A source that is changed while this runs is newer.
writeFileSync(join(fresh, 'made'), '')
utimesSync(join(fresh, 'made'), startedAt, startedAt)
rmSync(target, { recursive: true, force: true })
renameSync(fresh, target)
