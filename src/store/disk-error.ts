/** Whether the machine refused, and not we who asked for nonsense (a bad argument has a code, too). */
export function isDiskError(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).errno !== undefined
}

/** May pass by itself: somebody makes room. */
export function isNoSpace(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}
