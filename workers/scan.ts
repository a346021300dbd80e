// A thread of the broker's start: reads parts of a long log ahead of recovery, and goes. The pool is piscina's.
export { runSpan } from '../src/store/span-digest.ts'
