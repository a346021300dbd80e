import { edits } from '../mutation.ts'
import { loadStepped, type Edit, type Stepped } from '../stepped-modules.ts'

const scan = edits('src/store/log-scan.ts')
const digest = edits('src/store/span-digest.ts')
const stale = edits('src/store/stale-entries.ts')
const queues = edits('src/store/queue-recovery.ts')
const filler = edits('src/store/queue-filler.ts')
const dispatch = edits('src/store/dispatch-agent.ts')
const recovery = edits('src/store/recovery.ts')
const log = edits('src/store/log-recovery.ts')

/**
 * Lengths of buffers and pieces, scaled down as files and messages are: what happens at the end of a
 * piece happens in every life, and no time goes into memory that nobody uses.
 */
const SCALE: readonly Edit[] = [
  scan('const CHUNK_LENGTH = 4 * 1024 * 1024', 'const CHUNK_LENGTH = 900'),
  digest('const CHUNK_LENGTH = 1024 * 1024', 'const CHUNK_LENGTH = 700'),
  stale('const READ_MAX = 256 * 1024', 'const READ_MAX = 1024'),
  queues('const FIRST_READ = 4096', 'const FIRST_READ = 60'),
  queues('const READ_MAX = 1024 * 1024', 'const READ_MAX = 240'),
  filler('const FLUSH_BYTES = 1024 * 1024', 'const FLUSH_BYTES = 700'),
  // What dispatch may leave out of order is less than what recovery looks at again.
  dispatch('const TURN_BYTES = 256 * 1024', 'const TURN_BYTES = 512'),
  recovery('const DISPATCH_LAG = 1024 * 1024', 'const DISPATCH_LAG = 2048'),
  log('const REWRITE_LENGTH = 1024 * 1024', 'const REWRITE_LENGTH = 400'),
]

/** The core for simulated stores, with further edits made to it. */
export function loadStore(edited: readonly Edit[] = []): Stepped {
  return loadStepped([...edited, ...SCALE])
}
