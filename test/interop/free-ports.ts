import { createServer } from 'node:net'

const LOWEST = 20_000 // above what services use
const HIGHEST = 32_000 // below what the system hands out to outgoing connections

/** A free port whose neighbours at these distances are free as well. */
export async function findFreePort(neighbours: number[] = []): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    const all = await Promise.all([0, ...neighbours].map((distance) => isFree(port + distance)))
    if (all.every(Boolean)) return port
  }
  throw new Error('no free port found')
}

/** Nobody listens on it. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })
}
