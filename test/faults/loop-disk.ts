import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './tools.ts'

export const LOOP_TOOLS = ['mkfs.ext4', 'mount', 'umount', 'truncate', 'python3']

/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: what is not on the disk by now never will be. */
const SHUTDOWN = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))
`
const TRIES = 50

const mounted = new Set<LoopDisk>()
process.on('exit', () => {
  for (const disk of mounted) disk.remove()
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))

/** An ext4 on a sparse file, mounted on a folder of its own. It is gone when the process is. */
export class LoopDisk {
  readonly mount: string
  readonly #folder: string
  readonly #image: string

  constructor(size: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'ringmq-disk-'))
    this.#image = join(this.#folder, 'image')
    this.mount = join(this.#folder, 'mount')
    run('truncate', ['-s', size, this.#image])
    run('mkfs.ext4', ['-q', '-E', 'lazy_itable_init=1', this.#image])
    run('mkdir', [this.mount])
    this.#attach()
    mounted.add(this)
  }

  /** From now on every access fails, as on a machine without power. */
  losePower(): void {
    run('python3', ['-c', SHUTDOWN, this.mount])
  }

  /** The machine starts again: what had reached the disk is there. Nobody may have files open. */
  async restart(): Promise<void> {
    for (let tries = 0; !this.#detach(); tries++) {
      if (tries === TRIES) throw new Error(`${this.mount} stays busy`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    this.#attach()
  }

  remove(): void {
    if (!mounted.delete(this)) return
    if (!this.#detach()) run('umount', ['-l', this.mount])
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #attach(): void {
    run('mount', ['-o', 'loop', this.#image, this.mount])
  }

  #detach(): boolean {
    try {
      run('umount', [this.mount])
      return true
    } catch {
      return false
    }
  }
}
