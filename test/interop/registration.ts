import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const GET_ROUTEINFO_BY_TOPIC = 105
const TEMPLATE_TOPIC = 'TBW102'

/** Asks the name server until it has a route to a broker that creates topics: it tells nobody by itself. */
export async function untilRegistered(nameServer: string): Promise<void> {
  const deadline = Date.now() + 60_000
  while ((await askForRoute(nameServer)) !== 0) {
    if (Date.now() > deadline) throw new Error(`no broker has registered at ${nameServer}`)
    await pause(100)
  }
}

/** The response code: 0 with a route, 17 without. Frames by hand, so that nothing of ours is relied on. */
async function askForRoute(nameServer: string): Promise<number> {
  const [host, port] = nameServer.split(':')
  const socket = connect(Number(port), host)
  socket.write(requestFrame(GET_ROUTEINFO_BY_TOPIC, { topic: TEMPLATE_TOPIC }))
  let frame = Buffer.alloc(0)
  while (frame.length < 4 || frame.length < 4 + frame.readUInt32BE(0)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    frame = Buffer.concat([frame, chunk])
  }
  socket.destroy()
  return responseCode(frame)
}

function requestFrame(code: number, extFields: Record<string, string>): Buffer {
  const fields = { code, extFields, flag: 0, language: 'JAVA', opaque: 1, version: 479 }
  const header = Buffer.from(JSON.stringify(fields))
  const frame = Buffer.alloc(8 + header.length)
  frame.writeUInt32BE(4 + header.length, 0)
  frame.writeUInt32BE(header.length, 4) // the top byte 0 says JSON
  header.copy(frame, 8)
  return frame
}

function responseCode(frame: Buffer): number {
  const isBinary = frame[4] === 1
  if (isBinary) return frame.readInt16BE(8)
  const header = frame.toString('utf8', 8, 8 + frame.readUIntBE(5, 3))
  return (JSON.parse(header) as { code: number }).code
}
