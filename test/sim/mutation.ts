import type { Edit } from './stepped-modules.ts'

/** Something taken away from the sources that must be there: a scenario then fails. */
export interface Mutation {
  /** What is done to the sources. */
  name: string
  scenario: string
  /** One that fails; when it does no more, others are looked for. */
  seed: number
  /** Seeds that are looked at when it is rare. */
  within?: number
  edits: readonly Edit[]
}

/** Edits of one file: what stands there once, and what stands there instead. */
export function edits(path: Edit['path']): (from: string, to: string) => Edit {
  return (from, to) => ({ path, from, to })
}
