// A thread of `ringmq fsck`: checks the parts of a store that it is given. The pool is piscina's.
export { runTask } from '../src/fsck/task.ts'
