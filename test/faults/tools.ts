import { execFileSync } from 'node:child_process'

/** Says loudly what is missing; whoever called then leaves. */
export function hasTools(what: string, tools: readonly string[]): boolean {
  const missing = tools.filter((tool) => !isThere(tool))
  if (process.platform !== 'linux') missing.push('Linux')
  else if (process.getuid!() !== 0) missing.push('root')
  if (missing.length === 0) return true
  console.error(`== ${what}: SKIPPED. It needs ${missing.join(', ')}: NOTHING of it was tried.`)
  return false
}

function isThere(tool: string): boolean {
  try {
    run('sh', ['-c', `command -v ${tool}`])
    return true
  } catch {
    return false
  }
}

/** Runs a program to its end; returns what it said. Throws what it said to stderr. */
export function run(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
