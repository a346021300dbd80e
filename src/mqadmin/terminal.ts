import { styleText } from 'node:util'
import CliTable from 'cli-table3'

/** A table that is complete. */
export interface Table {
  readonly heads: readonly string[]
  readonly rows: string[][]
  /** By column: it is shown at the right. */
  readonly areNumbers: boolean[]
}

/** What a person looks at: colours, tables as wide as their content, bars. */
export interface Terminal {
  /** With the newline behind it. */
  table(table: Table): string
  /** Of the name of what failed. */
  failure(text: string): string
}

const NO_BORDER = ['top', 'bottom', 'left', 'right', 'mid', 'top-mid', 'bottom-mid', 'left-mid']
const NO_CORNERS = ['right-mid', 'mid-mid', 'top-left', 'top-right', 'bottom-left', 'bottom-right']
const CHARS = Object.fromEntries([...NO_BORDER, ...NO_CORNERS].map((name) => [name, '']))
const GAP = '  '

type Style = Parameters<typeof styleText>[0]

/** `columns` of the window; without colours it is the same in one. */
export function openTerminal(columns: number, hasColours: boolean): Terminal {
  const styled = (style: Style, text: string) =>
    hasColours ? styleText(style, text, { validateStream: false }) : text
  return {
    failure: (text) => styled(['bold', 'red'], text),
    table: (table) => {
      if (widthOf(table) > columns) return records(table, styled)
      const heads = table.heads.map((head) => styled(['bold', 'cyan'], head.replace(/^#/, '')))
      return `${aligned(table, heads)}\n`
    },
  }
}

function aligned({ rows, areNumbers }: Table, head: string[]): string {
  const made = new CliTable({
    head,
    colAligns: areNumbers.map((isNumber) => (isNumber && rows.length > 0 ? 'right' : 'left')),
    chars: { ...CHARS, middle: GAP },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  })
  made.push(...rows)
  return made.toString().replaceAll(/ +$/gm, '')
}

/** A table that is wider than the window: each row by itself, a line for each of its cells. */
function records({ heads, rows }: Table, styled: (style: Style, text: string) => string): string {
  const names = heads.map((head) => head.replace(/^#/, ''))
  const width = Math.max(...names.map((name) => name.length))
  const shown = rows.map((row) =>
    row.map((cell, nth) => {
      const name = (names[nth] ?? '').padEnd(width)
      return `${styled(['bold', 'cyan'], name)}${GAP}${cell}\n`.replace(/ +\n$/, '\n')
    }),
  )
  return shown.map((lines) => lines.join('')).join('\n')
}

function widthOf({ heads, rows }: Table): number {
  const widths = heads.map((head, nth) =>
    Math.max(head.length - 1, ...rows.map((row) => row[nth]?.length ?? 0)),
  )
  return widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length)
}
