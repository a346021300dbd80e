/** `ringmq dev`. Imports next to nothing itself: the threads are to load while main does. */
import { EarlyWorkers } from '../broker/early-workers.ts'

const early = new EarlyWorkers(['network', 'flush', 'dispatch'])
const { runDev } = await import('./run-dev.ts')
await runDev(early)
