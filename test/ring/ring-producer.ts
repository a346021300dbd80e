// The other thread of a ring: puts `count` records in, as fast as there is room.
import { workerData } from 'node:worker_threads'
import { ByteRing } from '../../src/ring/byte-ring.ts'
import { ringRecord } from './ring-records.ts'

const { memory, count } = workerData as { memory: SharedArrayBuffer; count: number }
const ring = new ByteRing(memory)
const pause = new Int32Array(new SharedArrayBuffer(4))
for (let nth = 0; nth < count; nth++) {
  while (!ring.offer(ringRecord(nth))) Atomics.wait(pause, 0, 0, 0.1)
}
