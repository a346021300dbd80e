/** What a finding is about; also the order in which they are told. */
export const Part = {
  FILE: 'file',
  LOG: 'log',
  QUEUE: 'queue',
  INDEX: 'index',
  MANIFEST: 'manifest',
  CHECKPOINT: 'checkpoint',
  CONFIG: 'config',
} as const
export type Part = (typeof Part)[keyof typeof Part]

/** Something that is not as it must be, and where. */
export interface Finding {
  part: Part
  /** Path below the store's folder, or absolute when it lies elsewhere. */
  file: string
  /** Byte of the log, if it is about one. */
  position?: number
  topic?: string
  queueId?: number
  /** Of the queue. */
  offset?: number
  text: string
}

/** Findings of one task: a broken disk makes millions, which are counted and not kept. */
export class Findings {
  readonly kept: Finding[] = []
  total = 0
  readonly #max: number

  constructor(max = FINDINGS_MAX) {
    this.#max = max
  }

  add(finding: Finding): void {
    this.total++
    if (this.kept.length < this.#max) this.kept.push(finding)
  }

  /** Takes back some of those that are kept. */
  drop(isDropped: (finding: Finding) => boolean): void {
    const left = this.kept.filter((finding) => !isDropped(finding))
    this.total -= this.kept.length - left.length
    this.kept.splice(0, this.kept.length, ...left)
  }

  addAll({ kept, total }: FoundSome): void {
    for (const finding of kept) this.add(finding)
    this.total += total - kept.length
  }
}

/** What a task hands back of its findings. */
export interface FoundSome {
  kept: Finding[]
  total: number
}

const FINDINGS_MAX = 1000

/** `commitlog/00000000000000000000 at 4711, topic T queue 0 offset 12: …` */
export function findingLine({ file, position, topic, queueId, offset, text }: Finding): string {
  const where = [
    position === undefined ? file : `${file} at ${position}`,
    topic === undefined ? '' : `topic ${topic} queue ${queueId}`,
    offset === undefined ? '' : `offset ${offset}`,
  ]
  return `${where.filter((part) => part !== '').join(', ')}: ${text}`
}
