import { execFile } from 'node:child_process'
import { copyFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder, contentHash, makeOnce } from '../java-runtime.ts'

/** Fetching takes seconds. Where there is no way to a registry, nobody should wait for long. */
const FETCH_MS = 180_000

const exec = promisify(execFile)
const run = (command: string, args: string[], options: { cwd?: string } = {}) =>
  exec(command, args, { ...options, timeout: FETCH_MS })

export const LANGUAGES = ['go', 'python', 'node'] as const

/** Languages other than Java that have a client of their own, each with its programs in a folder of its name. */
export type Language = (typeof LANGUAGES)[number]

/** What starts a program of this language: a command and the words before the program's own arguments. */
export type ClientRuntime = { command: string; programs: string }

/** null: the tools are not here, or what they need cannot be fetched. Plain data: it crosses to the tests. */
export type ClientRuntimes = Record<Language, ClientRuntime | null>

interface Recipe {
  /** Asked for its version to see whether it is here. */
  tools: [string, string][]
  make: (folder: string, sources: string) => Promise<unknown>
  runtime: (made: string, sources: string) => ClientRuntime
}

const RECIPES: Record<Language, Recipe> = {
  go: {
    tools: [['go', 'version']],
    make: (folder, sources) =>
      run('go', ['build', '-o', join(folder, 'client'), '.'], { cwd: sources }),
    runtime: (made) => ({ command: join(made, 'client'), programs: '' }),
  },
  python: {
    tools: [['python3', '--version']],
    make: makePython,
    runtime: (made, sources) => ({ command: join(made, 'bin', 'python'), programs: sources }),
  },
  node: {
    tools: [['npm', '--version']],
    make: makeNode,
    runtime: (made) => ({ command: process.execPath, programs: made }),
  },
}

/** Fetches what is not in the cache yet and builds what changed; says loudly which languages are left out. */
export async function prepareClients(): Promise<ClientRuntimes> {
  const runtimes = LANGUAGES.map(async (language) => {
    const runtime = await prepare(language).catch((error: unknown) => {
      console.error(`\nCLIENTS IN ${language} SKIPPED, they were NOT tested: ${String(error)}\n`)
      return null
    })
    return [language, runtime]
  })
  return Object.fromEntries(await Promise.all(runtimes)) as ClientRuntimes
}

async function prepare(language: Language): Promise<ClientRuntime> {
  const { tools, make, runtime } = RECIPES[language]
  for (const [tool, flag] of tools) await run(tool, [flag])
  const sources = join(import.meta.dirname, language)
  const files = (await readdir(sources)).toSorted().map((name) => join(sources, name))
  const made = join(cacheFolder(), 'clients', `${language}-${await contentHash(files)}`)
  await makeOnce(made, (folder) => make(folder, sources))
  return runtime(made, sources)
}

/** A virtual environment does not mind being renamed as long as it is called by its python. */
async function makePython(folder: string, sources: string): Promise<void> {
  await run('python3', ['-m', 'venv', folder])
  const requirements = join(sources, 'requirements.txt')
  const pip = [join(folder, 'bin', 'python'), '-m', 'pip', 'install', '--no-deps', '-r']
  await run(pip[0]!, [...pip.slice(1), requirements])
}

/** The programs lie beside their packages, where Node looks for them. */
async function makeNode(folder: string, sources: string): Promise<void> {
  for (const name of await readdir(sources)) await copyFile(join(sources, name), join(folder, name))
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder })
}
