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

/** A file or queue that is not as it must be, and in how many ways. */
export interface Place {
  part: Part
  file: string
  /** Of queues alone, which are one place however many files they have. */
  topic?: string
  queueId?: number
  count: number
}

/** Findings of one task: a broken disk makes millions. The first are kept, and all places, counted. */
export class Findings {
  readonly kept: Finding[] = []
  readonly #places = new Map<string, Place>()
  readonly #max: number

  constructor(max = FINDINGS_MAX) {
    this.#max = max
  }

  get total(): number {
    return [...this.#places.values()].reduce((sum, { count }) => sum + count, 0)
  }

  add(finding: Finding): void {
    this.#keep(finding)
    this.#count(placeOf(finding), 1)
  }

  /** Takes back some of those that are kept. What was not kept stays counted: a repair too many does no harm. */
  drop(isDropped: (finding: Finding) => boolean): void {
    const dropped = this.kept.filter((finding) => isDropped(finding))
    const left = this.kept.filter((finding) => !isDropped(finding))
    for (const finding of dropped) this.#count(placeOf(finding), -1)
    this.kept.splice(0, this.kept.length, ...left)
  }

  addAll({ kept, places }: FoundSome): void {
    for (const finding of kept) this.#keep(finding)
    for (const place of places) this.#count(place, place.count)
  }

  found(): FoundSome {
    return { kept: this.kept, places: [...this.#places.values()] }
  }

  #keep(finding: Finding): void {
    if (this.kept.length < this.#max) this.kept.push(finding)
  }

  #count(place: Omit<Place, 'count'>, more: number): void {
    const { part, file, topic, queueId } = place
    const key = `${part} ${part === Part.QUEUE ? `${topic}/${queueId}` : file}`
    const known = this.#places.get(key) ?? { ...place, count: 0 }
    known.count += more
    if (known.count > 0) this.#places.set(key, known)
    else this.#places.delete(key)
  }
}

/** What a task hands back of its findings. */
export interface FoundSome {
  kept: Finding[]
  /** Of all findings, kept or not. */
  places: Place[]
}

function placeOf({ part, file, topic, queueId }: Finding): Omit<Place, 'count'> {
  return part === Part.QUEUE ? { part, file, topic, queueId } : { part, file }
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
