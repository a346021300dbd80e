import { createServer, type AddressInfo } from 'node:net'
import type { BrokerConfig } from '../config/broker.ts'
import { ListenError } from '../net/listener.ts'

/** Clients of the 4.x era send everything but pulls to the port two below (their VIP channel). */
const VIP_DISTANCE = 2

/** Where the network workers are to listen. */
export interface Ports {
  host: string
  /** The broker's port. */
  port: number
  all: number[]
  /** Several workers share the ports: the kernel deals out the connections. */
  reusePort: boolean
}

/**
 * Makes sure that the ports are free before workers share them: with `reusePort` a second broker
 * would take half of the clients and nobody would say so. Rejects with ListenError.
 */
export async function bindPorts(config: BrokerConfig): Promise<Ports> {
  const { bindAddress: host, listenPort, networkWorkers } = config
  const port = await tryPort(host, listenPort)
  const all = [port]
  if (listenPort > VIP_DISTANCE) all.push(await trySecond(host, port - VIP_DISTANCE))
  return { host, port, all, reusePort: networkWorkers > 1 }
}

async function trySecond(host: string, port: number): Promise<number> {
  try {
    return await tryPort(host, port)
  } catch (error) {
    if (error instanceof ListenError) {
      error.message += ` (this is the broker's second port: listenPort - ${VIP_DISTANCE}, where old clients send to)`
    }
    throw error
  }
}

function tryPort(host: string, port: number): Promise<number> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new ListenError({ host, port }, error)))
    server.listen({ host, port, exclusive: true }, () => {
      const { port: bound } = server.address() as AddressInfo
      server.close(() => resolve(bound))
    })
  })
}
