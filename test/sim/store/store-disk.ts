import type { Disk, Span } from '../../../src/base/disk.ts'
import type { SimulatedDisk } from '../../support/simulated-disk.ts'
import type { Random } from '../random.ts'
import type { Steps } from '../steps.ts'

/** The disk as the log's writer has it: others run, and the process may die, in the middle of a write. */
export function steppedDisk(disk: SimulatedDisk, random: Random): Disk {
  const pwrite = function* (descriptor: number, span: Span): Steps<void> {
    const { offset, length, position } = span
    const first = random.below(length)
    yield 'pwrite begins'
    if (first > 0) disk.pwrite(descriptor, { ...span, length: first })
    yield 'pwrite is half done'
    const rest = { offset: offset + first, length: length - first, position: position + first }
    disk.pwrite(descriptor, { ...span, ...rest })
  }
  return { pwrite } as unknown as Disk // the writer calls nothing else
}
