/** A process of its own that takes a store, says so, and keeps it until its input ends. */
import { StoreLock } from '../../src/store/store-lock.ts'

const lock = await StoreLock.take(process.argv[2]!)
process.stdout.write('held\n')
process.stdin.resume()
process.stdin.once('end', () => void lock.release())
