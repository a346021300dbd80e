import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Finding } from '../../src/fsck/finding.ts'
import { checkStore, type Report } from '../../src/fsck/fsck.ts'
import { repairStore, type Repaired } from '../../src/fsck/repair.ts'
import { unpackGolden } from './golden-store.ts'
import { tempFolder } from './temp-folder.ts'

const NOW_MS = 1_700_000_000_000

/** One of Apache's stores, to be damaged and checked. */
export class CheckedStore {
  readonly root: string

  constructor(name: string) {
    this.root = unpackGolden(name, tempFolder())
  }

  path(path: string): string {
    return join(this.root, path)
  }

  /** The first of its files with something in it below the first folder of `path`. */
  firstLike(path: string): string {
    const [folder] = path.split('/')
    const files = readdirSync(this.path(folder!), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.root.length + 1))
      .toSorted()
    const like = files.filter((file) => file === path || dirname(file).includes(dirname(path)))
    return like[0] ?? files[0]!
  }

  /** Changes bytes of one of its files. */
  edit(path: string, change: (bytes: Buffer) => Buffer | void): this {
    const bytes = readFileSync(this.path(path))
    writeFileSync(this.path(path), change(bytes) ?? bytes)
    return this
  }

  async check(): Promise<Report> {
    return (await checkStore({ root: this.root, jobs: 0 })).report
  }

  async findings(): Promise<Finding[]> {
    return (await this.check()).findings
  }

  async repair(): Promise<Repaired> {
    const { map, report } = await checkStore({ root: this.root, jobs: 0 })
    return repairStore(map, report, { nowMs: NOW_MS })
  }
}
