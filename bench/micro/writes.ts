import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { REPEATS, type MicroCase, type MicroSuite } from './suite.ts'

const SIZES = [306, 4096, 16_384, 65_536, 262_144]
/** The file is written round and round, so that it stays small and in the page cache. */
const FILE_LENGTH = 256 * 2 ** 20

/** The price of a reply that survives `kill -9`: one pwrite per turn of the event loop. */
export function writes(): MicroSuite {
  const directory = mkdtempSync(join(tmpdir(), 'ringmq-micro-'))
  const file = openSync(join(directory, 'log'), 'w')
  const close = (): void => {
    closeSync(file)
    rmSync(directory, { recursive: true })
  }
  const source = Buffer.from(new SharedArrayBuffer(SIZES.at(-1)!))
  const cases = SIZES.map((size) => writeCase(file, source, size))
  return { name: 'writes', question: 'pwrite into the page cache', cases, close }
}

function writeCase(file: number, source: Buffer, size: number): MicroCase {
  let position = 0
  const run = (): void => {
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      writeSync(file, source, 0, size, position)
      position = (position + size) % (FILE_LENGTH - size)
    }
    fdatasyncEvery(file, position)
  }
  return { name: `${size} B`, bytes: size, run }
}

/** Keeps the dirty pages below what makes the kernel throttle the writer; rarely, so that it counts little. */
function fdatasyncEvery(file: number, position: number): void {
  if (position > FILE_LENGTH / 2) fdatasyncSync(file)
}
