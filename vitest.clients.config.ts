import { defineConfig } from 'vitest/config'

/**
 * Clients of other languages (Go, Python, JavaScript) against our broker, and against Apache's where java and mvn
 * are. A language whose tools are missing here is skipped by name.
 */
export default defineConfig({
  test: {
    include: ['test/interop/clients/**/*.test.ts'],
    globalSetup: ['test/interop/clients/setup.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
