/**
 * The first of `[from, to)` for which `holds` is false, `to` when it is true for all. It must be
 * false for everything behind the first for which it is. Some twenty calls for a million.
 */
export function firstNot(
  holds: (value: number) => boolean,
  { from, to }: { from: number; to: number },
): number {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (holds(middle)) low = middle + 1
    else high = middle
  }
  return low
}
