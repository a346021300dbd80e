/** How a program and the test that started it talk: JSON lines out, plain lines in. */
import { createInterface } from 'node:readline'
import { crc32 } from 'node:zlib'

/** The arguments, each written name=value. */
export function options() {
  return Object.fromEntries(
    process.argv.slice(2).map((word) => {
      const at = word.indexOf('=')
      return [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}

export function emit(event, fields = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`)
}

/** Resolves at the line "stop", or at the end of standard input. */
export async function untilStopped() {
  for await (const line of createInterface({ input: process.stdin })) if (line === 'stop') return
}

/** What the client wants of its settings, besides those of a producer or a consumer. */
export function clientOptions(nameServer) {
  const httpclient = {
    request: () => {
      throw new Error('the name server is known: nothing is to be looked up by HTTP')
    },
  }
  return { nameSrv: nameServer, httpclient }
}

export const crc = (body) => crc32(body)
