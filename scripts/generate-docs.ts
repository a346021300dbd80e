/**
 * Writes the generated pages of docs/ from the tables they describe. With `--check` it writes
 * nothing and fails when a page is not what the tables say.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { configDoc } from './docs/config-doc.ts'
import { mqadminDoc } from './docs/mqadmin-doc.ts'
import { protocolDoc } from './docs/protocol-doc.ts'

const PAGES: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/config.md': configDoc,
  'docs/mqadmin.md': mqadminDoc,
  'docs/protocol.md': protocolDoc,
}

const root = fileURLToPath(new URL('..', import.meta.url))
const isCheck = process.argv.includes('--check')
const pages = await Promise.all(
  Object.entries(PAGES).map(async ([page, generate]) => [page, await generate()] as const),
)
const changed = pages.filter(([page, content]) => !refresh(page, content))

if (isCheck && changed.length > 0) {
  const names = changed.map(([page]) => page).join(', ')
  console.error(`Not what the source says: ${names}. Run \`npm run docs\` and commit the result.`)
  process.exitCode = 1
} else if (!isCheck) {
  for (const [page] of changed) console.log(`${page} is written anew.`)
}

/** Whether the page was right already. */
function refresh(page: string, content: string): boolean {
  if (read(page) === content) return true
  if (!isCheck) writeFileSync(root + page, content)
  return false
}

function read(page: string): string | null {
  try {
    return readFileSync(root + page, 'utf8')
  } catch {
    return null // not there yet
  }
}
