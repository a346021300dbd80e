/** The name that differs from `written` in the fewest letters, or null when none comes close. */
export function nearestName(written: string, names: Iterable<string>): string | null {
  const letters = written.toLowerCase()
  let nearest: string | null = null
  let least = Math.max(2, written.length >> 2) + 1
  for (const name of names) {
    const distance = editDistance(letters, name.toLowerCase(), least)
    if (distance >= least) continue
    least = distance
    nearest = name
  }
  return nearest
}

/** Letters to insert, drop or replace between two words; `limit` or more ends the count early. */
function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) >= limit) return limit
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const above = row
    row = [i]
    for (let j = 1; j <= right.length; j++) {
      const replace = above[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)
      row.push(Math.min(replace, above[j]! + 1, row[j - 1]! + 1))
    }
  }
  return row[right.length]!
}
