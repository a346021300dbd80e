import { inject } from 'vitest'
import type { ClientProgram } from '../client-program.ts'
import type { Cluster } from '../cluster.ts'
import type { Language } from './client-runtimes.ts'

type Program = 'produce' | 'consume' | 'transact'

/** Starts a program of this language against a cluster. */
export function launchClient(
  cluster: Cluster,
  language: Language,
  program: Program,
  options: Record<string, string | number | boolean>,
): ClientProgram {
  const all = { nameServer: cluster.nameServer, ...options }
  const words = Object.entries(all).map(([name, value]) => `${name}=${value}`)
  const { command, args } = commandOf(language, program)
  const env = { HOME: cluster.folder } // where these clients write their log and offset files
  return cluster.launch({ command, args: [...args, ...words], folder: cluster.folder, env })
}

function commandOf(language: Language, program: Program): { command: string; args: string[] } {
  const runtime = inject('clients')[language]
  if (runtime === null) throw new Error(`no ${language} here`)
  const { command, programs } = runtime
  const suffix = { go: '', python: '.py', node: '.js' }[language]
  return { command, args: [language === 'go' ? program : `${programs}/${program}${suffix}`] }
}
