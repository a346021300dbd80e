import { randomInt } from 'node:crypto'
import { localAddress } from '../config/local-address.ts'
import { hostBytes } from '../net/address.ts'
import { UniqueIds } from '../protocol/message-id.ts'

/** One per thread: the random part tells threads and restarts with the same pid apart. */
const ids = new UniqueIds({
  address: hostBytes(localAddress()),
  pid: process.pid,
  hash: randomInt(2 ** 32),
})

/** A new id for a message, its UNIQ_KEY. `now` in milliseconds since 1970. */
export function nextMessageId(now: number): string {
  return ids.next(now)
}
