import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { javaCommand, type Command } from '../../scripts/apache.ts'

export const TOOLS = ['apache', 'ringmq'] as const
/** Whose mqadmin. */
export type Tool = (typeof TOOLS)[number]

export interface ToolRun {
  stdout: string
  stderr: string
  wallMs: number
  /** User and system time of the tool and everything that it started. */
  cpuMs: number
}

const MQADMIN = join(import.meta.dirname, '../../bin/mqadmin')
const STARTUP = 'org.apache.rocketmq.tools.command.MQAdminStartup'
/** Only the shell that started a process can tell what it used. */
const TIMED = '"$@"; times >&2'
const CPU_LINE = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\n$/
const TIMEOUT_MS = 180_000

/**
 * Runs one line of either tool to its end; with `rows` until it has printed so many lines below its first, for
 * commands that go on for ever. Then `cpuMs` is 0.
 */
export async function runTool(
  tool: Tool,
  words: readonly string[],
  folder: string,
  rows: number | null = null,
): Promise<ToolRun> {
  const { command, args, env } = tool === 'apache' ? apacheTool(words, folder) : ourTool(words)
  const line = rows === null ? ['sh', '-c', TIMED, 'sh', command, ...args] : [command, ...args]
  const from = performance.now()
  const child = spawn(line[0]!, line.slice(1), {
    env,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const timer = setTimeout(() => child.kill(), TIMEOUT_MS)
  const said = collect(child, rows)
  await once(child, 'close')
  clearTimeout(timer)
  const wallMs = performance.now() - from
  return { ...said, wallMs, cpuMs: rows === null ? cpuMsOf(said.stderr) : 0 }
}

function collect(child: ChildProcess, rows: number | null): { stdout: string; stderr: string } {
  const said = { stdout: '', stderr: '' }
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text
    if (rows !== null && said.stdout.split('\n').length > rows + 1) child.kill()
  })
  return said
}

function cpuMsOf(stderr: string): number {
  const found = CPU_LINE.exec(stderr)
  if (found === null) throw new Error(`no times of the process: ${stderr}`)
  const [userMinutes, user, systemMinutes, system] = found.slice(1).map(Number)
  return ((userMinutes! + systemMinutes!) * 60 + user! + system!) * 1000
}

/** With the memory of Apache's own script, bin/tools.sh, made smaller. */
function apacheTool(words: readonly string[], directory: string): Command {
  const heap = ['-Xms256m', '-Xmx256m']
  return javaCommand(STARTUP, [...words], { directory, heap, namesrv: '' })
}

function ourTool(words: readonly string[]): Command {
  return { command: 'sh', args: [MQADMIN, ...words], env: process.env }
}
