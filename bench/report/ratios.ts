/** Middle value, or the mean of the two in the middle. Throws on an empty list. */
export function median(values: number[]): number {
  if (values.length === 0) throw new Error('no median of nothing')
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** Over the pairs of a comparison: each ratio is taken inside one pair, so that slow hours cancel out. */
export interface RatioSummary {
  pairs: number
  median: number
  min: number
  max: number
}

/**
 * `ours / theirs` per pair. Pairs in which either side has no figure are left out; null when none is left.
 */
export function summarizeRatios(
  ours: (number | null)[],
  theirs: (number | null)[],
): RatioSummary | null {
  const ratios = ours.flatMap((value, pair) => {
    const other = theirs[pair]
    return value === null || other === null || !other ? [] : [value / other]
  })
  if (ratios.length === 0) return null
  const [min, max] = [Math.min(...ratios), Math.max(...ratios)]
  return { pairs: ratios.length, median: median(ratios), min, max }
}
