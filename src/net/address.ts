/** A TCP endpoint as RocketMQ writes it: `ip:port`, IPv6 in brackets. */
export interface Endpoint {
  host: string
  port: number
}

/** Splits at the last colon. Throws a RangeError that shows the text when it is no `host:port`. */
export function parseAddress(address: string): Endpoint {
  const match = /^(?:\[([^\]]+)\]|([^[\]]+)):(\d{1,5})$/.exec(address)
  const port = Number(match?.[3])
  if (match === null || port > 65535) {
    throw new RangeError(`"${address}" is no address: it must be host:port, such as 127.0.0.1:9876`)
  }
  return { host: match[1] ?? match[2]!, port }
}

export function formatAddress({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** An IPv4 peer of an IPv6 socket is an IPv4 peer: `::ffff:10.0.0.1` is `10.0.0.1`. */
export function plainHost(host: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1] ?? host
}

/** The 4 or 16 bytes of a numeric IP address, as stored messages carry it. */
export function hostBytes(host: string): Uint8Array {
  return host.includes(':') ? ipv6Bytes(host) : Uint8Array.from(host.split('.'), Number)
}

function ipv6Bytes(host: string): Uint8Array {
  const [head = '', tail] = host.replace(/%.*$/, '').split('::')
  const front = ipv6Groups(head)
  const back = ipv6Groups(tail ?? '')
  const bytes = new Uint8Array(16)
  bytes.set(front)
  bytes.set(back, 16 - back.length)
  return bytes
}

function ipv6Groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number) // the last 32 bits, written as IPv4
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}
