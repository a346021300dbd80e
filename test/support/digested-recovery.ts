import type { Disk } from '../../src/base/disk.ts'
import type { Recovered, recoverInSteps, RecoveryOptions } from '../../src/store/recovery.ts'
import type { digestMemory, DigestRows } from '../../src/store/scan-digest.ts'
import type { digestSpan } from '../../src/store/span-digest.ts'

/** The simulator brings sources of its own. */
export interface DigestCore {
  recoverInSteps: typeof recoverInSteps
  digestSpan: typeof digestSpan
  digestMemory: typeof digestMemory
  DigestRows: typeof DigestRows
}

/** A recovery that is given a digest wherever there can be one, made in this thread when it asks. */
export function recoverDigested(
  core: DigestCore,
  disk: Disk,
  options: RecoveryOptions,
  spanLength: number,
): Recovered {
  const { logDirectory: directory, logFileSize: fileSize, checkCrc } = options
  const steps = core.recoverInSteps(disk, options)
  let step = steps.next({ digest: null, until: 0 })
  while (step.done !== true) {
    const { position } = step.value
    const inFile = position % fileSize
    const from = position - (inFile % spanLength)
    const to = Math.min(from + spanLength, position - inFile + fileSize)
    const memory = core.digestMemory(spanLength)
    const found = core.digestSpan(disk, { directory, fileSize, checkCrc, from, to, memory })
    const digest = found === null ? null : { ...found, rows: new core.DigestRows(memory) }
    step = steps.next({ digest, until: to })
  }
  return step.value
}
