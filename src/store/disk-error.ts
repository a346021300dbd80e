/** Whether the machine refused, and not we who asked for nonsense (a bad argument has a code, too). */
export function isDiskError(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).errno !== undefined
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

/** May pass by itself: somebody makes room, or closes files. Nothing was written or made. */
export function isPassing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT' || isOutOfDescriptors(error)
}

/** Only an open can fail so: the file itself is as it was. */
export function isOutOfDescriptors(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EMFILE' || code === 'ENFILE'
}

/** Node's errors of reads and writes do not say of which file. The same error, which then does. */
export function withPath(error: unknown, path: string): unknown {
  const { message, path: named } = error as NodeJS.ErrnoException
  if (!isDiskError(error) || named !== undefined) return error
  return Object.assign(error as Error, { path, message: `${message} '${path}'` })
}
