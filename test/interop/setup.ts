import type { TestProject } from 'vitest/node'
import { missingTools, prepareJava } from './java-runtime.ts'
import type { JavaRuntime } from './java-runtime.ts'

declare module 'vitest' {
  interface ProvidedContext {
    java: JavaRuntime | null
  }
}

/** Vitest calls this once before all files: jars and classes are made here, and only here. */
export async function setup(project: TestProject): Promise<void> {
  const missing = await missingTools()
  if (missing.length > 0) {
    console.error(
      `\nINTEROP SKIPPED, nothing was tested: not found on PATH: ${missing.join(', ')}\n`,
    )
    project.provide('java', null)
    return
  }
  project.provide('java', await prepareJava())
}
