import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { parseJson } from '../protocol/json.ts'
import { Part, type Findings } from './finding.ts'
import type { StoreMap } from './store-map.ts'

/** As much as a broker reads of them. */
const LIMITS = { depth: 64, cells: 1 << 26 }

/** Tables of topics, groups and offsets: each a JSON object, with the generation before it beside it. */
export function checkConfig(disk: Disk, { root }: StoreMap, findings: Findings): void {
  const folder = join(root, 'config')
  if (!disk.exists(folder)) return
  const names = disk.list(folder).filter(({ isDirectory }) => !isDirectory)
  for (const { name } of names) {
    if (!/\.json(\.bak)?$/.test(name)) continue
    const fault = faultOf(disk.readFile(join(folder, name)))
    // Apache leaves an empty one behind when there was nothing before.
    if (fault === null || (fault === 'is empty' && name.endsWith('.bak'))) continue
    const file = `config/${name}`
    findings.add({ part: Part.CONFIG, file, text: `${fault}${backupText(disk, folder, name)}` })
  }
}

function faultOf(bytes: Buffer): string | null {
  if (bytes.toString().trim() === '') return 'is empty'
  try {
    return parseJson(bytes, LIMITS) instanceof Map ? null : 'holds no JSON object'
  } catch (error) {
    return `is no JSON (${(error as Error).message})`
  }
}

function backupText(disk: Disk, folder: string, name: string): string {
  if (name.endsWith('.bak')) return ''
  const path = join(folder, `${name}.bak`)
  const isGood = disk.exists(path) && faultOf(disk.readFile(path)) === null
  return isGood ? `; a start takes ${name}.bak instead` : '; there is no good one before it'
}
