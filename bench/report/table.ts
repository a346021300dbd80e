/** Columns aligned to the right, but the first; two spaces between them. */
export function formatTable(header: string[], rows: string[][]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  )
  const line = (row: string[]): string => row.map((cell, i) => pad(cell, widths[i]!, i)).join('  ')
  return [header, ...rows].map(line).join('\n')
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}

/** Three significant digits at least, thousands grouped: 1.23, 45.6, 12 345. `-` for null. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '-'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en').replaceAll(',', ' ')
  return Number(value.toPrecision(3)).toString()
}

/** Microseconds as milliseconds. */
export function formatTime(microseconds: number | null | undefined): string {
  return microseconds === null || microseconds === undefined
    ? '-'
    : formatNumber(microseconds / 1000)
}

export function formatMebibytes(bytes: number | null | undefined): string {
  return bytes === null || bytes === undefined ? '-' : formatNumber(bytes / 2 ** 20)
}
