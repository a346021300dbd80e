import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'
import type { Cluster } from './cluster.ts'
import { JDK_RIGHTS } from './java-runtime.ts'

const MAIN = fileURLToPath(new URL('../../src/main/mqadmin.ts', import.meta.url))
const VIRTUAL_MACHINE = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const TOOLS = 'org.apache.rocketmq.tools.command.MQAdminStartup'

/** What Apache's mqadmin prints for this line. It ends with 0 whatever happened. */
export function apacheMqadmin(cluster: Cluster, line: string): Promise<string> {
  const java = inject('java')
  if (java === null) throw new Error('no java here')
  const home = [`-Duser.home=${cluster.folder}`, `-Drocketmq.home.dir=${cluster.folder}`]
  const path = ['-cp', java['server-5.3.3']]
  const words = [...VIRTUAL_MACHINE, ...JDK_RIGHTS, ...home, ...path, TOOLS, ...line.split(' ')]
  return run(cluster, 'java', words)
}

/** What ours prints. Rejects when it fails. */
export function ourMqadmin(cluster: Cluster, line: string): Promise<string> {
  return run(cluster, process.execPath, [MAIN, ...line.split(' ')])
}

function run({ folder, nameServer }: Cluster, program: string, words: string[]): Promise<string> {
  const env = { ...process.env, NAMESRV_ADDR: nameServer }
  return new Promise((resolve, reject) => {
    execFile(program, words, { cwd: folder, env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program} ${words.join(' ')}: ${stderr}`, { cause: error }))
    })
  })
}

/**
 * The facts that a command printed, without what changes from run to run: times, ports, rates, object
 * addresses; without usage texts, and in an order that does not come from Java's hashes.
 */
export function facts(printed: string): string[] {
  const plain = printed
    .replace(/^usage: [^]*$/m, '')
    .replaceAll(/\d{13}/g, 'TIME')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME')
    .replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS')
    .replaceAll(/\d+\.\d\d\b/g, 'RATE')
  const lines = plain.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '))
  const isSaid = (line: string) => line !== '' && !line.includes(' |-') // or of its logging
  return lines.filter(isSaid).toSorted((a, b) => (a < b ? -1 : 1))
}
