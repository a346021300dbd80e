import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'

/**
 * The address other machines most likely reach this one at: the first IPv4 address outside
 * 192.168.0.0/16, else the last IPv4 one, else an IPv6 one, else loopback. Bridges (docker0) are
 * passed over. This is Apache 5.3.3's order, so that a broker keeps its address when it changes over.
 */
export function localAddress(): string {
  const candidates = outwardAddresses()
  const ipv4 = candidates.filter(({ family }) => family === 'IPv4').map(({ address }) => address)
  const preferred = ipv4.find((address) => !/^(127\.0|192\.168|0\.)/.test(address))
  return preferred ?? ipv4.at(-1) ?? candidates[0]?.address ?? '127.0.0.1'
}

function outwardAddresses() {
  return Object.entries(networkInterfaces())
    .filter(([name]) => !existsSync(`/sys/class/net/${name}/bridge`))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ internal }) => !internal)
}
