import { defineConfig } from 'vitest/config'

/**
 * Apache's own Java clients and broker against ours. Needs java, javac and mvn; without them everything is
 * skipped. RINGMQ_INTEROP_BROKER=apache runs the same tests against Apache's broker, which proves the tests.
 */
export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    exclude: ['test/interop/clients/**'], // vitest.clients.config.ts
    globalSetup: ['test/interop/setup.ts'],
    pool: 'forks',
    maxWorkers: 2, // most of their time they wait: for a consumer to join, for a tool of Apache's to end
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
