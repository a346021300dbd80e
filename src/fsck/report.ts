import type { Report } from './fsck.ts'
import { findingLine } from './finding.ts'
import type { Repaired } from './repair.ts'

/** Lines on the terminal, so many at most; `--json` has more. */
const LINES_MAX = 200

/** How `ringmq fsck` ends, docs/fsck.md. */
export const FsckExit = {
  CLEAN: 0,
  DAMAGED: 1,
  /** In use, no store, or a command line that cannot be read. */
  CANNOT_CHECK: 2,
  /** There was damage, and none is left. */
  REPAIRED: 3,
} as const

/** What is printed without `--json`: what is wrong, then the sums. */
export function reportLines(report: Report): string[] {
  const { findings, findingCount } = report
  const lines = findings.slice(0, LINES_MAX).map((finding) => findingLine(finding))
  const more = findingCount - lines.length
  if (more > 0) lines.push(`… and ${more} more like these`)
  return [...lines, ...report.notes.map((note) => `note: ${note}`), ...summaryLines(report)]
}

export function repairLines({ aside, queues, index, manifests, skipped }: Repaired): string[] {
  const made = [
    queues > 0 ? `${queues} queues` : '',
    index ? 'the index' : '',
    manifests > 0 ? `${manifests} manifests` : '',
  ].filter((part) => part !== '')
  const what = made.length === 0 ? 'nothing was made anew' : `made anew: ${made.join(', ')}`
  const where = aside === null ? '' : `; the old files are in ${aside}`
  return [`repair: ${what}${where}`, ...skipped.map((text) => `repair: ${text}`)]
}

function summaryLines(report: Report): string[] {
  const { root, files, messages, entries, indexItems, manifestBytes } = report
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`
  const { minPosition, end, messageBytes, findingCount } = report
  return [
    `${root}: ${messages} messages (${mib(messageBytes)}) at ${minPosition} to ${end}, ${entries} queue entries, ${indexItems} index items in ${files} files; manifests of ${mib(manifestBytes)}`,
    findingCount === 0 ? 'clean' : `${findingCount} things are wrong`,
  ]
}
