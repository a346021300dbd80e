const [INHERIT, WRITE, READ] = [1, 2, 4]

/** `RW-`, as Apache's tools show a permission. */
export function permissionText(perm: number): string {
  const has = (bit: number, letter: string) => ((perm & bit) === 0 ? '-' : letter)
  return has(READ, 'R') + has(WRITE, 'W') + has(INHERIT, 'X')
}
