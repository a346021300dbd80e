/**
 * Apache RocketMQ 5.3.3 itself, for comparing behaviour, bytes and speed with the real thing. Needs java 17
 * or later and mvn, which resolves the jars once by their coordinates into the user's cache folder.
 *
 *   node scripts/apache.ts setup                       resolve the jars
 *   node scripts/apache.ts namesrv [PORT]              a name server (9876), until it is interrupted
 *   node scripts/apache.ts broker [PORT] [key=value…]  a broker (10911) registered at NAMESRV_ADDR
 *   node scripts/apache.ts mqadmin ARGS…               the official mqadmin
 *   node scripts/apache.ts java CLASS ARGS…            any class of the class path: Apache's examples and
 *                                                      benchmarks are on it (rocketmq-example)
 *
 * Environment: NAMESRV_ADDR (127.0.0.1:9876), APACHE_RUN (folder for stores and logs: `run` in the cache),
 * JAVA_OPT (the heap), CP_EXTRA (put before the class path).
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export const APACHE_VERSION = '5.3.3'
/** Apache publishes its examples for some versions only; this one runs against 5.3.3's client. */
const EXAMPLE_VERSION = '5.5.0'

/** What `spawn` needs. */
export interface Command {
  command: string
  args: string[]
  env: Record<string, string | undefined>
}

export interface JavaOptions {
  /** Folder for logs; Apache's broker also keeps its store under it unless configured otherwise. */
  directory: string
  /** JVM arguments for memory. */
  heap: string[]
  namesrv: string
}

const CACHE = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  `ringmq/apache-rocketmq-${APACHE_VERSION}`,
)
const MODULES = ['namesrv', 'broker', 'tools', 'proxy']
const HEAP = ['-Xms512m', '-Xmx512m', '-XX:MaxDirectMemorySize=512m']
/** Packages that RocketMQ reaches into and that Java 17 keeps closed. */
const OPENED = ['sun.nio.ch', 'java.nio', 'java.lang', 'jdk.internal.misc']
const EXPORTED = ['jdk.internal.ref', 'sun.nio.ch']

/** Resolves the jars when they are not there yet; about 20 s, most of it downloads. Returns the cache folder. */
export function setUpApache(): string {
  const done = join(CACHE, 'lib/.done')
  if (existsSync(done)) return CACHE
  mkdirSync(join(CACHE, 'home/conf'), { recursive: true })
  writeFileSync(join(CACHE, 'pom.xml'), projectFile())
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${join(CACHE, 'lib')}`]
  execFileSync('mvn', ['-q', '-B', '-Dstyle.color=never', '-f', join(CACHE, 'pom.xml'), ...goal], {
    stdio: 'inherit',
  })
  writeFileSync(done, '')
  return CACHE
}

function projectFile(): string {
  const modules = MODULES.map((name) => dependency(`rocketmq-${name}`, APACHE_VERSION))
  const bare =
    '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>'
  const example = dependency('rocketmq-example', EXAMPLE_VERSION, bare)
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>ringmq</groupId><artifactId>apache-reference</artifactId><version>1</version>
  <dependencies>\n${[...modules, example].join('\n')}\n  </dependencies>
</project>\n`
}

function dependency(artifact: string, version: string, more = ''): string {
  const id = `<groupId>org.apache.rocketmq</groupId><artifactId>${artifact}</artifactId>`
  return `    <dependency>${id}<version>${version}</version>${more}</dependency>`
}

/** A command that runs `mainClass` on Apache's class path. Resolves the jars first. */
export function javaCommand(mainClass: string, args: string[], options: JavaOptions): Command {
  const cache = setUpApache()
  const extra = process.env['CP_EXTRA']
  const classPath = [...(extra ? [extra] : []), join(cache, 'lib/*')].join(':')
  const opened = OPENED.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`)
  const exported = EXPORTED.map((name) => `--add-exports=java.base/${name}=ALL-UNNAMED`)
  const home = `-Duser.home=${options.directory}` // Apache logs to ~/logs
  return {
    command: 'java',
    args: [...options.heap, ...opened, ...exported, home, '-cp', classPath, mainClass, ...args],
    env: {
      ...process.env,
      ROCKETMQ_HOME: join(cache, 'home'),
      NAMESRV_ADDR: options.namesrv,
    },
  }
}

/** A name server; its log folder and configuration go into `options.directory`. */
export function namesrvCommand(port: number, options: JavaOptions): Command {
  const file = writeConfig(options.directory, `namesrv-${port}`, { listenPort: String(port) })
  return javaCommand('org.apache.rocketmq.namesrv.NamesrvStartup', ['-c', file], options)
}

/** A master broker on the loopback address, its store in `options.directory`; `settings` win. */
export function brokerCommand(
  port: number,
  settings: Record<string, string>,
  options: JavaOptions,
): Command {
  const file = writeConfig(options.directory, `broker-${port}`, {
    ...brokerSettings(port, options.directory),
    ...settings,
  })
  const args = ['-n', options.namesrv, '-c', file]
  return javaCommand('org.apache.rocketmq.broker.BrokerStartup', args, options)
}

/** The least that a broker on one machine needs, by Apache's keys, so that any broker can be given it. */
export function brokerSettings(port: number, directory: string): Record<string, string> {
  return {
    brokerClusterName: 'DefaultCluster',
    brokerName: 'broker-a',
    brokerId: '0',
    brokerIP1: '127.0.0.1',
    brokerIP2: '127.0.0.1',
    listenPort: String(port),
    haListenPort: String(port + 1),
    storePathRootDir: join(directory, `store-${port}`),
    autoCreateTopicEnable: 'true',
  }
}

/** Writes `name`.conf as a properties file and returns its path. */
export function writeConfig(
  directory: string,
  name: string,
  settings: Record<string, string>,
): string {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, `${name}.conf`)
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(file, lines.join(''))
  return file
}

/** Runs in the foreground until the command ends; its exit code becomes ours. */
function runHere({ command, args, env }: Command): void {
  const child = spawn(command, args, { env, stdio: 'inherit' })
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  process.on('SIGINT', () => {}) // the terminal has told the child as well: wait for it
  child.on('exit', (code) => process.exit(code ?? 1))
}

function optionsFromEnvironment(): JavaOptions {
  return {
    directory: process.env['APACHE_RUN'] ?? join(CACHE, 'run'),
    heap: process.env['JAVA_OPT']?.split(/\s+/) ?? HEAP,
    namesrv: process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876',
  }
}

function settingsOf(pairs: string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
}

function main([verb, ...args]: string[]): void {
  const options = optionsFromEnvironment()
  const tools = 'org.apache.rocketmq.tools.command.MQAdminStartup'
  if (verb === 'setup') console.log(setUpApache())
  else if (verb === 'namesrv') runHere(namesrvCommand(Number(args[0] ?? 9876), options))
  else if (verb === 'broker') {
    runHere(brokerCommand(Number(args[0] ?? 10911), settingsOf(args.slice(1)), options))
  } else if (verb === 'mqadmin') runHere(javaCommand(tools, args, options))
  else if (verb === 'java' && args[0]) runHere(javaCommand(args[0], args.slice(1), options))
  else {
    console.error('usage: node scripts/apache.ts setup | namesrv | broker | mqadmin | java CLASS')
    process.exitCode = 1
  }
}

if (import.meta.main) main(process.argv.slice(2))
