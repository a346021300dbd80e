import { networkInterfaces } from 'node:os'

/** The address other machines know this one by; loopback when there is no other. */
export function localAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((of) => of ?? [])
  const outward = addresses.filter((address) => !address.internal)
  const best = outward.find((address) => address.family === 'IPv4') ?? outward[0]
  return best?.address ?? '127.0.0.1'
}

/**
 * `ip@instance`, as brokers list it. Members of a group are told apart by it, so the default instance name is
 * `pid#nanoseconds` (Apache 5.3.3 does the same for the instance name DEFAULT).
 */
export function clientId(instanceName?: string): string {
  return `${localAddress()}@${instanceName ?? `${process.pid}#${process.hrtime.bigint()}`}`
}
