/** What a reviewer should not have to look for: who imports whom, dead files, words and forms we do without. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Which folders of src a folder imports, besides itself: its row in ARCHITECTURE.md. */
const ARROWS = new Map(
  Array.from(
    read('ARCHITECTURE.md').matchAll(/^\| `src\/(\w+)` \|.*\| (.+) \|$/gm),
    ([, folder, names]) => [folder!, names === '–' ? [] : names!.split(', ')],
  ),
)

/** Files that nobody needs to import: programs, threads, tools and the one door of the client. */
const DOORS = /^(src\/main\/[^/]+|workers\/.+|bench\/.+|scripts\/.+|src\/client\/index)\.ts$/

/** Longer ones are two files, unless a program wrote them. */
const LINES_MAX = 400

interface Source {
  /** From the root of the repository, as are `files`. */
  readonly path: string
  readonly content: string
  /** What it imports. */
  readonly files: readonly string[]
  readonly packages: readonly string[]
}

const sources = ['src', 'workers', 'bench', 'scripts', 'test']
  .flatMap(list)
  .filter((path) => path.endsWith('.ts'))
  .map(readSource)
const product = sources.filter(({ path }) => /^(src|workers)\//.test(path))
const ours = sources.filter(({ path }) => !path.startsWith('test/'))

const manifest = JSON.parse(read('package.json')) as {
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}

describe('a source file', () => {
  test('imports only what the row of its folder in ARCHITECTURE.md names', () => {
    const wrong = ours.flatMap(({ path, files }) =>
      files.filter((file) => !mayImport(path, file)).map((file) => `${path} imports ${file}`),
    )
    expect(wrong).toEqual([])
  })

  test('of the product imports only packages that are installed with it', () => {
    const wrong = product.flatMap(({ path, packages }) =>
      packages
        .filter((name) => !Object.hasOwn(manifest.dependencies, name))
        .map((name) => `${path} imports ${name}`),
    )
    expect(wrong).toEqual([])
  })

  test('is needed by a program, a thread, a tool or the client', () => {
    const paths = ours.map(({ path }) => path)
    const needed = reachable(paths.filter((path) => DOORS.test(path)))
    expect(paths.filter((path) => !needed.has(path))).toEqual([])
  })

  test.each<[string, RegExp]>([
    ['leaves no work for later', new RegExp(`\\b${['TO', 'DO|FIX', 'ME'].join('')}\\b`)],
    ['has no enum', /^\s*(export )?(declare )?(const )?enum \w/m],
    ['has no namespace', /^\s*(export )?(declare )?namespace \w/m],
    ['has no decorator', /^\s*@[A-Za-z]/m],
    ['has no default export', /^export default\b/m],
    ['passes over no test', /\b(test|it|describe)\.(skip|only|todo)\b/],
  ])('%s', (_, pattern) => {
    expect(sources.filter(({ content }) => pattern.test(content)).map(nameOf)).toEqual([])
  })

  test(`has at most ${LINES_MAX} lines, unless it is generated`, () => {
    const long = sources
      .filter(({ content }) => content.split('\n').length - 1 > LINES_MAX)
      .filter(({ content }) => !content.startsWith('// Generated '))
    expect(long.map(nameOf)).toEqual([])
  })

  test('has a name in kebab case', () => {
    const kebab = /^([a-z\d-]+\/)*[a-z\d]+(-[a-z\d]+)*(\.test)?\.ts$/
    expect(sources.map(nameOf).filter((path) => !kebab.test(path))).toEqual([])
  })
})

test('no file names a path of the machine it was written on', () => {
  const machine = new RegExp(`/(${['work', 'root', 'Users'].join('|')})/`)
  const files = ['src', 'workers', 'bench', 'scripts', 'test', 'bin', 'docs', '.ci'].flatMap(list)
  const texts = [...files, 'package.json', 'README.md', 'ARCHITECTURE.md'].filter(isText)
  expect(texts.filter((path) => machine.test(read(path)))).toEqual([])
})

test('every folder of src has its row in ARCHITECTURE.md, which names nothing that it does not import', () => {
  const unused = [...ARROWS]
    .filter(([folder]) => folder !== 'main')
    .flatMap(([folder, names]) =>
      names.filter((name) => !imports(folder, name)).map((name) => `${folder} → ${name}`),
    )
  expect(unused).toEqual([])
  expect([...ARROWS.keys()].toSorted()).toEqual(readdirSync(join(root, 'src')).toSorted())
})

test('docs/testing.md names every recorded run', () => {
  const page = read('docs/testing.md')
  const runs = readdirSync(join(root, 'bench', 'results'))
  expect(runs.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})

test('docs/dependencies.md gives the reason of every package', () => {
  const rows = read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \|.*\| .{20,} \|$/gm)
  const explained = Array.from(rows, ([, name]) => name)
  const { dependencies, devDependencies } = manifest
  const installed = [...Object.keys(dependencies), ...Object.keys(devDependencies)]
  expect(new Set(explained)).toEqual(new Set(installed))
})

/** Every file under a folder, from the root of the repository. */
function list(folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

function isText(path: string): boolean {
  return existsSync(join(root, path)) && !path.startsWith('test/golden/')
}

function nameOf({ path }: Source): string {
  return path
}

function readSource(path: string): Source {
  const content = read(path)
  const imported = importsOf(content)
  return {
    path,
    content,
    files: imported.filter((name) => name.startsWith('.')).map((name) => join(dirname(path), name)),
    packages: imported.filter((name) => !/^(\.|node:)/.test(name)).map(packageOf),
  }
}

/** Static and dynamic imports, and files that a worker is started from by URL. */
function importsOf(content: string): string[] {
  const forms =
    /(?:^(?:import|export)\b[\w\s{},*$]*\bfrom |^import |\bimport\(|\bnew URL\()\s*'([^'\n]+)'/gm
  return Array.from(content.matchAll(forms), ([, name]) => name!)
}

/** `@scope/name/file` → `@scope/name`. */
function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/')
}

function mayImport(from: string, to: string): boolean {
  const [source, target] = [from, to].map(folderOfSource)
  if (source === null || source === 'main') return true // programs, threads and tools may use anything
  if (target === null) return to.startsWith('workers/') // who starts a thread names its file
  return source === target || ARROWS.get(source!)!.includes(target!)
}

function imports(folder: string, target: string): boolean {
  return product
    .filter(({ path }) => folderOfSource(path) === folder)
    .some(({ files }) => files.some((file) => folderOfSource(file) === target))
}

/** `src/store/ha/agent.ts` → `store`; null outside of src. */
function folderOfSource(path: string): string | null {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null
}

function reachable(doors: readonly string[]): Set<string> {
  const files = new Map(ours.map((source) => [source.path, source.files]))
  const found = new Set(doors)
  for (const path of found) for (const file of files.get(path) ?? []) found.add(file)
  return found
}
