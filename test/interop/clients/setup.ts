import type { TestProject } from 'vitest/node'
import { setup as setUpJava } from '../setup.ts'
import { prepareClients } from './client-runtimes.ts'
import type { ClientRuntimes } from './client-runtimes.ts'

declare module 'vitest' {
  interface ProvidedContext {
    clients: ClientRuntimes
  }
}

/** Vitest calls this once before all files. */
export async function setup(project: TestProject): Promise<void> {
  await setUpJava(project)
  project.provide('clients', await prepareClients())
}
