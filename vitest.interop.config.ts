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
    fileParallelism: false, // one broker and a few JVMs are enough for two cores
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
