import { RecordParts } from '../store/log-record.ts'
import { Part, type Finding, type Findings } from './finding.ts'

/**
 * A message whose topic, queue or offset is not that of an entry that leads to it, and none does where
 * its own name says: nothing but its body is under a checksum, and it is the message that changed.
 */
export interface Misnamed {
  /** In the log. */
  position: number
  /** What the entry says. */
  topic: string
  queueId: number
  offset: number
  /** What the message says, in words. */
  says: string
}

/** Tells them as damage of the log, in place of what the same damage looks like from elsewhere. */
export function tellMisnamed(
  all: readonly Misnamed[],
  fileOf: (position: number) => string,
  findings: Findings,
): void {
  const positions = new Set(all.map(({ position }) => position))
  findings.drop(({ part, position }) => isDerived(part) && positions.has(position ?? -1))
  for (const { says, ...where } of all) {
    const { topic, queueId, offset, position } = where
    const text = `the message names itself ${says}, and an entry that leads to it is ${offset} of topic ${topic} queue ${queueId}`
    findings.add({ part: Part.LOG, file: fileOf(position), ...where, text })
  }
}

function isDerived(part: Finding['part']): boolean {
  return part === Part.QUEUE || part === Part.INDEX
}

/** The record with the name that its entry gives it; its properties and its name alone are in `bytes`. */
export function renamed(
  record: RecordParts,
  bytes: Buffer,
  { topic, queueId, offset }: Misnamed,
): { record: RecordParts; bytes: Buffer } {
  const { propertiesAt, propertiesLength } = record
  const name = Buffer.from(topic)
  const parts = Object.assign(new RecordParts(), record, {
    queueId,
    queueOffset: offset,
    propertiesAt: 0,
    topicAt: propertiesLength,
    topicLength: name.length,
  })
  const properties = bytes.subarray(propertiesAt, propertiesAt + propertiesLength)
  return { record: parts, bytes: Buffer.concat([properties, name]) }
}
