/**
 * Preloaded into a broker (`node --import`): every write to a commit log file takes 20 ms longer, in
 * the thread that makes it and in no other, as on a slow disk. strace stops all threads at each of
 * their calls, which costs the pulls that are measured more than the disk does.
 *
 * Adds a byte to the file that SLOW_WRITES names for each write that it made slower.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { env } from 'node:process'

const DELAY_MS = 20
const written = fs.openSync(env['SLOW_WRITES']!, 'a')
const clock = new Int32Array(new SharedArrayBuffer(4))
const plain = fs.writeSync as (...all: unknown[]) => number

fs.writeSync = (descriptor: number, ...rest: unknown[]) => {
  const done = plain(descriptor, ...rest)
  if (isOfTheLog(descriptor)) {
    Atomics.wait(clock, 0, 0, DELAY_MS)
    plain(written, '.')
  }
  return done
}
syncBuiltinESMExports()

function isOfTheLog(descriptor: number): boolean {
  return fs.readlinkSync(`/proc/self/fd/${descriptor}`).includes('/commitlog/')
}
