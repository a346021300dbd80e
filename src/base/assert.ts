/** A broken promise inside our own code. Never caught: it ends the process, which then recovers from disk. */
export class AssertionError extends Error {
  override name = 'AssertionError'
}

/** States what must hold. Stays on in production. Never used on bytes or sizes from the network. */
export function assert(condition: boolean, message = 'assertion failed'): asserts condition {
  if (!condition) throw new AssertionError(message)
}
