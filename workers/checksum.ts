// A thread of the broker's that comes when a log file was sealed, writes its manifest, and goes. The pool is piscina's.
export { sealSegment } from '../src/store/seal-segment.ts'
