import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A class path: one release of Apache's, and those of our programs that compile against it. */
interface JarSetRecipe {
  artifacts: string[]
  version: string
  programs: string[]
}

const CLIENT_PROGRAMS = ['Options', 'Lines', 'Produce', 'Consume', 'Transact']

const JAR_SETS = {
  'client-4.4.0': { artifacts: ['rocketmq-client'], version: '4.4.0', programs: CLIENT_PROGRAMS },
  'client-4.9.8': {
    artifacts: ['rocketmq-client'],
    version: '4.9.8',
    programs: [...CLIENT_PROGRAMS, 'Ask', 'Answer'],
  },
  'client-5.3.3': {
    artifacts: ['rocketmq-client'],
    version: '5.3.3',
    programs: [...CLIENT_PROGRAMS, 'Pull', 'LitePull', 'ConsumeByPop', 'Ask', 'Answer', 'Timed'],
  },
  'server-5.3.3': {
    artifacts: ['rocketmq-namesrv', 'rocketmq-broker', 'rocketmq-tools'],
    version: '5.3.3',
    programs: ['Options', 'Lines', 'Admin', 'Tool'],
  },
} satisfies Record<string, JarSetRecipe>

export type JarSet = keyof typeof JAR_SETS

/** The class path to give to `java` for each set. Plain data: it crosses to the test processes. */
export type JavaRuntime = Record<JarSet, string>

/** Flags for `java`: Apache's stores, and Netty as old clients have it, reach into the JDK. */
export const JDK_RIGHTS = [
  'opens=java.base/sun.nio.ch',
  'opens=java.base/java.nio',
  'opens=java.base/java.lang',
  'opens=java.base/jdk.internal.misc',
  'exports=java.base/jdk.internal.ref',
  'exports=java.base/sun.nio.ch',
].map((right) => `--add-${right}=ALL-UNNAMED`)

/** Those of java, javac and mvn that cannot be started here. */
export async function missingTools(): Promise<string[]> {
  const versions = { java: '-version', javac: '-version', mvn: '-v' }
  const checks = Object.entries(versions).map(([tool, flag]) =>
    run(tool, [flag]).then(
      () => [],
      () => [tool],
    ),
  )
  return (await Promise.all(checks)).flat()
}

/** Fetches what is not in the cache yet, compiles what changed. About 20 s the first time, then nothing. */
export async function prepareJava(): Promise<JavaRuntime> {
  const names = Object.keys(JAR_SETS) as JarSet[]
  const runtime: Partial<JavaRuntime> = {}
  for (const name of names) runtime[name] = await classPath(name, JAR_SETS[name])
  return runtime as JavaRuntime
}

async function classPath(name: string, recipe: JarSetRecipe): Promise<string> {
  const jars = join(cacheFolder(), 'jars', name)
  await makeOnce(jars, (folder) => fetchJars(folder, recipe))
  const sources = recipe.programs.map((program) =>
    join(import.meta.dirname, 'java', `${program}.java`),
  )
  const classes = join(cacheFolder(), 'classes', `${name}-${await contentHash(sources)}`)
  const onPath = join(jars, '*')
  await makeOnce(classes, (folder) =>
    run('javac', ['-nowarn', '-encoding', 'UTF-8', '-d', folder, '-cp', onPath, ...sources]),
  )
  return [classes, onPath].join(delimiter)
}

/** Where all that is fetched or built for these tests is kept. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ringmq-interop')
}

/** A folder appears whole or not at all, also when two runs make it at once. */
export async function makeOnce(
  folder: string,
  make: (folder: string) => Promise<unknown>,
): Promise<void> {
  if (existsSync(folder)) return
  const draft = `${folder}.${process.pid}`
  await mkdir(draft, { recursive: true })
  await make(draft)
  await rename(draft, folder).catch(async (error: unknown) => {
    if (!existsSync(folder)) throw error
    await rm(draft, { recursive: true })
  })
}

async function fetchJars(folder: string, { artifacts, version }: JarSetRecipe): Promise<void> {
  const dependencies = artifacts.map(
    (artifact) =>
      `<dependency><groupId>org.apache.rocketmq</groupId><artifactId>${artifact}</artifactId>` +
      `<version>${version}</version></dependency>`,
  )
  const project = join(folder, 'pom.xml')
  await writeFile(
    project,
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>' +
      '<groupId>ringmq</groupId><artifactId>interop</artifactId><version>1</version>' +
      `<packaging>pom</packaging><dependencies>${dependencies.join('')}</dependencies></project>`,
  )
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`]
  await run('mvn', ['-q', '-B', '-f', project, ...goal])
}

/** Of all files together. */
export async function contentHash(files: string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) hash.update(await readFile(file))
  return hash.digest('hex').slice(0, 16)
}
