/** How far long work has come; shown until it is disposed of. */
export interface Progress {
  /** So many of the total are done. */
  show(done: number): void
  [Symbol.dispose](): void
}

/** Where nobody looks. */
export const NO_PROGRESS: Progress = { show: () => {}, [Symbol.dispose]: () => {} }
