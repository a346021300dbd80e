import { localAddress } from '../config/local-address.ts'

/**
 * `ip@instance`, as brokers list it. Members of a group are told apart by it, so the default
 * instance is `pid#nanoseconds` (Apache 5.3.3 makes the same of its default instance name).
 */
export function clientId(instanceName = `${process.pid}#${process.hrtime.bigint()}`): string {
  return `${localAddress()}@${instanceName}`
}
